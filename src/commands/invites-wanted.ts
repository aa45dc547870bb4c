import { type Command, InvalidArgumentError, Option } from "commander";
import { wantedCommand } from "../core/advice/command-lines.ts";
import { type InviteRequest, WANTED } from "../core/invite-request.ts";
import type { Person } from "../vendors/contract/ats.ts";
import { AppError } from "../shared/errors.ts";
import { plain, shortTime } from "../shared/text.ts";
import type { World } from "../shared/world.ts";
import { logToRead } from "./session/log-to-read.ts";
import { type Session, withApp } from "./session/with-app.ts";

interface Flags {
  send?: number;
  done?: number;
  reveal?: boolean;
}

const MOST = 500;

/** `invites wanted`: the invites that stages ask for and that nobody has sent yet. */
export function registerWanted(invites: Command, world: World): void {
  invites
    .command("wanted")
    .description("the invites that stages ask for and that are not sent yet")
    .addOption(new Option("--send <n>", "ask JobCannon for this one after all").argParser(readNumber))
    .addOption(
      new Option("--done <n>", "this one was seen to by hand").argParser(readNumber).conflicts("send"),
    )
    .option("--reveal", "look up names and addresses, and show them")
    .addHelpText(
      "after",
      "\nA stage that asks for a test is set by: catalog set. JobCannon is asked where\njobcannon.invites_url says; without it, and where a stage is triggered by hand,\na person sends the invite, and says so here.\n\nExamples:\n  jc-integrations invites wanted --reveal\n  jc-integrations invites wanted --done 3",
    )
    .action((flags: Flags, command: Command) =>
      withApp(world, command, async (session) => {
        const { send, done } = flags;
        if (send !== undefined) return await change(session, send, "open");
        if (done !== undefined) return await change(session, done, "done");
        await list(session, flags);
      }),
    );
}

async function list(session: Session, { reveal = false }: Flags): Promise<void> {
  const { app, print, terminal } = session;
  const store = await logToRead(session);
  const wanted = (await store?.inviteRequests({ org: app.org, states: WANTED, limit: MOST })) ?? [];
  const people = reveal ? await peopleOf(session, wanted) : new Map<number, Person>();
  const isAsked = app.config["jobcannon.invites_url"] !== "";
  print({
    json: { wanted: wanted.map((each) => jsonOf(each, people.get(each.id))) },
    text: () =>
      wanted.length === 0
        ? "No invite is wanted."
        : [
            terminal.table(
              [
                "no",
                "test",
                "candidate",
                { name: "job", drop: 2 },
                { name: "stage", drop: 3 },
                { name: "since", drop: 1, whole: true },
                { name: "waits for", below: true },
              ],
              wanted.map((each) => rowOf(each, { person: people.get(each.id), isAsked })),
            ),
            "",
            `Sent by hand: ${wantedCommand({ org: app.org }, "--done")}`,
          ].join("\n"),
  });
}

/** As the vendor knows them now: nothing of them is kept. One who cannot be looked up is shown without a name. */
async function peopleOf(
  { app, world }: Session,
  wanted: readonly InviteRequest[],
): Promise<Map<number, Person>> {
  const { openAts } = await import("../flows/ats/ats.ts");
  const store = await app.store();
  const people = new Map<number, Person>();
  for (const { id, org, vendor, environment, candidateId } of wanted) {
    const { ats, access } = await openAts(app, store, { org, vendor, environment, signal: world.signal });
    const person = await ats.person?.(access, candidateId).catch((error: unknown) => {
      if (error instanceof AppError) return undefined;
      throw error;
    });
    if (person) people.set(id, person);
  }
  return people;
}

async function change({ app, print }: Session, id: number, state: "open" | "done"): Promise<void> {
  const store = await app.store();
  const wanted = await store.inviteRequests({ org: app.org, states: WANTED, limit: MOST });
  if (!wanted.some((each) => each.id === id))
    throw new AppError("USAGE", `no invite ${id} of ${app.org} is wanted`, {
      hint: wantedCommand({ org: app.org }),
    });
  if (state === "open" && app.config["jobcannon.invites_url"] === "")
    throw new AppError("USAGE", "jobcannon.invites_url is not set: nobody can be asked", {
      hint: "Set it, or send the invite by hand.",
    });
  const now = app.clock.now();
  await store.noteRequest(id, { state, dueAt: now, reason: null }, now);
  print({
    json: { id, state },
    text: () =>
      state === "done"
        ? `Invite ${id} counts as sent.`
        : `JobCannon will be asked for invite ${id} within a minute.`,
  });
}

function rowOf(
  { id, entry, candidateId, jobId, stage, askedAt, state, reason }: InviteRequest,
  { person, isAsked }: { person: Person | undefined; isAsked: boolean },
): string[] {
  return [
    String(id),
    plain(entry.test),
    person ? plain(nameOf(person)) : plain(candidateId),
    plain(jobId),
    plain(stage),
    shortTime(askedAt),
    state === "open"
      ? plain(reason ?? (isAsked ? "its turn" : "a person: jobcannon.invites_url is not set"))
      : waits(state, reason),
  ];
}

function waits(state: InviteRequest["state"], reason: string | null): string {
  return state === "by hand"
    ? "a person, as its stage says"
    : `a person: ${plain(reason ?? "it was refused")}`;
}

function nameOf({ firstName, lastName, email }: Person): string {
  return [firstName, lastName, email && `<${email}>`].filter(Boolean).join(" ") || "–";
}

function jsonOf(
  { id, entry, askedAt, dueAt: _, endedAt: __, ...rest }: InviteRequest,
  person: Person | undefined,
) {
  return { id, ...entry, ...rest, askedAt: new Date(askedAt).toISOString(), ...(person ? { person } : {}) };
}

function readNumber(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It is the number of a wanted invite.");
}
