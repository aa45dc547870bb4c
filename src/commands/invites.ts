import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { IMPORT_COMMAND, inviteCommand, invitesCommand } from "../core/advice/command-lines.ts";
import { SEVERAL_LINES } from "../core/advice/several-lines.ts";
import { INVITE_STATUSES, type InviteStatus } from "../core/event.ts";
import type { ImportReport } from "../flows/intake/import-events.ts";
import { AppError } from "../shared/errors.ts";
import type { Terminal } from "../shared/terminal.ts";
import { count, grouped, maskEmailsIn, plain, short } from "../shared/text.ts";
import { registerWanted } from "./invites-wanted.ts";
import { registerAssign } from "./invites-assign.ts";
import type { World } from "../shared/world.ts";
import type { InviteHistory, InviteSummary, Store } from "../store/contract/store.ts";
import { EMAIL_OPTION, EMAIL_WORDS, emailFrom } from "./session/email.ts";
import { inviteJson, placeOf, pushJson, stateWords } from "./session/invite-words.ts";
import { logToRead } from "./session/log-to-read.ts";
import { stdinOf } from "./session/stdin.ts";
import { withMaskedAddresses } from "./session/masked-invite.ts";
import {
  COUNTED_AT_MOST,
  defined,
  moreWords,
  readLimit,
  type TimeFlags,
  timeReader,
  timesOf,
  WHOLE,
} from "./session/option-values.ts";
import { LOCAL_OPTION, LOCAL_WORDS, type ShownTime, shownTime } from "./session/shown-time.ts";
import { type Session, withApp } from "./session/with-app.ts";

export function registerInvites(program: Command, world: World): void {
  const invites = program
    .command("invites")
    .description("feed events in, look at invites and their deliveries")
    .addHelpText(
      "after",
      "\nExamples:\n  jc-integrations invites import events.ndjson\n  jc-integrations invites list",
    );

  invites
    .command("import")
    .argument("<file>", "NDJSON, one event a line; - reads stdin")
    .description(
      "take events from NDJSON (- for stdin); bad lines are reported, the good ones go in (exit 7)",
    )
    .addHelpText("after", "\nExample:\n  zcat events.ndjson.gz | jc-integrations invites import -")
    .action((file: string, _options: object, command: Command) =>
      withApp(world, command, (session) => importFile(session, file)),
    );

  invites
    .command("list")
    .description("the newest invites and where their results stand")
    .option("--status <status>", INVITE_STATUSES.join(", "), readStatus)
    .option(EMAIL_OPTION, `only this candidate's ${EMAIL_WORDS}`)
    .option("--since <time>", "newest event from then on, as yesterday or 1h", timeReader(world.clock))
    .option("--until <time>", "up to then, exclusive", timeReader(world.clock))
    .addOption(new Option("--limit <n>", "how many").argParser(readLimit).default(20))
    .addOption(new Option("--all", "all of them").conflicts("limit"))
    .option(LOCAL_OPTION, LOCAL_WORDS)
    .option("--reveal", "show names and addresses in full")
    .addHelpText("after", "\nExample:\n  jc-integrations invites list --status completed --since yesterday")
    .action((flags: ListFlags, command: Command) =>
      withApp(world, command, (session) => list(session, flags)),
    );

  invites
    .command("show")
    .argument("[invitation]", "its id")
    .description("where one invite's results are and why, with all that was sent, left out and tried")
    .option(EMAIL_OPTION, `instead of an invitation: this candidate's newest ${EMAIL_WORDS}`)
    .option(LOCAL_OPTION, LOCAL_WORDS)
    .option("--reveal", "show names and addresses in full")
    .addHelpText(
      "after",
      "\nThe first line answers where the result is, and names what to type where it\nwaits.\n\nExamples:\n  jc-integrations invites show inv_7Q2\n  jc-integrations invites show --email ann@example.com --reveal",
    )
    .action((id: string | undefined, flags: ShowFlags, command: Command) =>
      withApp(world, command, (session) => show(session, id, flags)),
    );
  registerAssign(invites, world);
  registerWanted(invites, world);
}

async function list(session: Session, flags: ListFlags): Promise<void> {
  const { app, terminal, print } = session;
  const { reveal, status, limit } = flags;
  const times = timesOf(flags);
  const email = await emailFrom(session, flags.email);
  const store = await logToRead(session);
  const filter = { ...defined({ status, email }), ...times };
  const query = { org: app.org, ...filter };
  const found = (await store?.invites({ ...query, limit: flags.all ? WHOLE : limit })) ?? [];
  const isFull = !flags.all && found.length === limit;
  const fitting = isFull ? ((await store?.countInvites(query, limit + COUNTED_AT_MOST)) ?? 0) : found.length;
  const more = Math.max(0, fitting - found.length);
  const invites = reveal ? found : found.map(withMaskedAddresses);
  const mayHaveOthers = found.length === 0 && Object.keys(filter).length > 0;
  const others = mayHaveOthers ? await store?.invites({ org: app.org, limit: 1 }) : [];
  print({
    json: { invites: shownJson(invites.map(summaryJson), { reveal }), more },
    text: () => {
      if (found.length === 0) return others?.length ? "No invite matches." : NO_INVITES;
      const rest = moreWords(more, "invite");
      return renderList(invites, terminal, shownTime(flags.local)) + (rest === null ? "" : `\n${rest}`);
    },
  });
}

async function show(
  session: Session,
  id: string | undefined,
  { reveal, email, local }: ShowFlags,
): Promise<void> {
  const { app, terminal, print } = session;
  const address = await emailFrom(session, email);
  if ((id === undefined) === (address === undefined))
    throw new AppError("USAGE", "name one invitation, or a candidate with --email");
  const store = await logToRead(session);
  const history = await findInvite(store, { org: app.org, id, email: address });
  if (!store || !history) {
    const { noInvite } = await import("../flows/watch/no-invite.ts");
    throw await noInvite(store, { org: app.org, ids: id === undefined ? [] : [id], email: address });
  }
  const [{ inviteStory }, { inviteStoryJson, masked, renderInvite }] = await Promise.all([
    import("../flows/status/invite-story.ts"),
    import("./session/invite-text.ts"),
  ]);
  const found = { history, story: await inviteStory(app, store, history) };
  const shown = reveal ? found : masked(found);
  print({
    json: shownJson(inviteStoryJson(shown), { reveal }),
    text: () => renderInvite(shown, terminal, shownTime(local)),
  });
}

async function findInvite(
  store: Store | null,
  { org, id, email }: { org: string; id: string | undefined; email: string | undefined },
): Promise<InviteHistory | null> {
  const [newest] = email === undefined ? [] : ((await store?.invites({ org, email, limit: 1 })) ?? []);
  const wanted = id ?? newest?.invite.invitationId;
  return wanted === undefined ? null : ((await store?.invite(org, wanted)) ?? null);
}

interface ShowFlags {
  email?: string;
  local?: boolean;
  reveal?: boolean;
}

interface ListFlags extends TimeFlags {
  status?: InviteStatus;
  email?: string;
  limit: number;
  all?: boolean;
  reveal?: boolean;
}

/** What else may hold an address, such as a link. */
function shownJson<Json>(json: Json, { reveal }: { reveal: boolean | undefined }): Json {
  if (reveal) return json;
  return JSON.parse(
    JSON.stringify(json, (_, value: unknown) => (typeof value === "string" ? maskEmailsIn(value) : value)),
  );
}

async function importFile(
  { app, world, terminal, globals, print, say }: Session,
  file: string,
): Promise<void> {
  const [{ importEvents }, { appendMarked }] = await Promise.all([
    import("../flows/intake/import-events.ts"),
    import("../flows/erasure/marks.ts"),
  ]);
  const [source] = (await app.sources()).filter(({ id }) => id === "jobcannon");
  if (!source) throw new Error("JobCannon is no source any more");
  const store = await app.store();
  const progress = terminal.progress("importing", null);
  const marked = appendMarked(store, app.vault);
  let stored = 0;
  const report = await importEvents({ store: marked, clock: app.clock }, source, {
    input: file === "-" ? stdinOf(world) : openFile(resolve(world.cwd, file)),
    signal: world.signal,
    onProgress: (soFar) => {
      const { read, bad } = soFar;
      stored = soFar.stored;
      if (!globals.json) progress.set(read, bad.length > 0 ? `${bad.length} bad` : "");
    },
  }).finally(() => {
    if (!globals.json) progress.end();
    if (world.signal.aborted)
      say(
        `${count(stored, "event")} of it ${stored === 1 ? "is" : "are"} stored. Import it again: what is stored already changes nothing.`,
      );
  });
  print({
    json: { ...report, warnings: shownJson(report.warnings, { reveal: false }) },
    text: () =>
      [
        `${count(report.read, "event")} read: ${report.stored} stored, ${report.known} known before, ${report.bad.length} bad${report.refused > 0 ? `, ${report.refused} refused: their people were erased` : ""}`,
        ...orgLines(report.orgs, app.org),
        ...warnedLines(report, app.org),
        ...report.bad.slice(0, SHOWN_BAD_LINES).map(({ line, reason }) => `  line ${line}: ${plain(reason)}`),
        ...(report.bad.length > SHOWN_BAD_LINES
          ? [`  and ${report.bad.length - SHOWN_BAD_LINES} more (--json lists all)`]
          : []),
      ].join("\n"),
  });
  if (report.bad.length === 0) return;
  throw new AppError("PARTIAL", `${count(report.bad.length, "line")} could not be taken`, {
    hint:
      report.bad.length === report.read
        ? SEVERAL_LINES
        : "Mend those lines and import the file again: what is stored already changes nothing.",
  });
}

const SHOWN_BAD_LINES = 20;
const SHOWN_ORGS = 10;

/** Nothing where all went to the org in use: what went elsewhere would be looked for in vain. */
function orgLines(orgs: Readonly<Record<string, number>>, own: string): string[] {
  const most = Object.entries(orgs).toSorted(([, a], [, b]) => b - a);
  const other = most.find(([org]) => org !== own)?.[0];
  if (other === undefined) return [];
  const named = most.slice(0, SHOWN_ORGS).map(([org, n]) => `${grouped(n)} for ${org}`);
  const more = most.length - SHOWN_ORGS;
  return [
    `  stored: ${named.join(", ")}${more > 0 ? ` and ${count(more, "more org")} (--json lists all)` : ""}`,
    `  To look at another org's: ${invitesCommand({ org: other })}`,
  ];
}

const SHOWN_WARNED_LINES = 5;

/** What was kept and goes nowhere, or contradicts itself. */
function warnedLines({ warned, warnings }: ImportReport, own: string): string[] {
  const [first] = warnings;
  if (!first) return [];
  const look = inviteCommand(first.invitationId, first.org === own ? {} : { org: first.org });
  return [
    `  ${count(warned, "event")} with warnings${warned > SHOWN_WARNED_LINES ? ", the first:" : ":"}`,
    ...warnings
      .slice(0, SHOWN_WARNED_LINES)
      .map(({ line, warnings: [words = "", ...more] }) =>
        maskEmailsIn(`  line ${line}: ${short(words)}${more.length > 0 ? ` (and ${more.length} more)` : ""}`),
      ),
    `  To look at one: ${look}`,
  ];
}

async function* openFile(path: string): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 })) yield chunk;
  } catch (cause) {
    if (!(cause instanceof Error && "syscall" in cause)) throw cause;
    throw new AppError("USAGE", `${path} cannot be read`, {
      hint: "Give a file of NDJSON, or - for stdin.",
      cause,
    });
  }
}

function readStatus(text: string): InviteStatus {
  const status = INVITE_STATUSES.find((known) => known === text);
  if (status) return status;
  throw new InvalidArgumentError(`It is one of ${INVITE_STATUSES.join(", ")}.`);
}

const NO_INVITES = `No invites yet. Feed some in: ${IMPORT_COMMAND}`;

const LIST_COLUMNS = [
  "invite",
  { name: "candidate", drop: 3 },
  "status",
  { name: "tests", drop: 2 },
  { name: "newest event", drop: 1, whole: true },
  "delivery",
] as const;

function renderList(found: readonly InviteSummary[], terminal: Terminal, time: ShownTime): string {
  const rows = found.map(({ invite, pushes }) => [
    plain(invite.invitationId),
    short(invite.candidate.email.trim()),
    invite.status,
    `${invite.tests.filter((test) => test.status === "completed").length}/${invite.tests.length}`,
    time.minute(invite.at),
    pushes.map((push) => `${placeOf(push)}: ${stateWords(push)}`).join(", ") || "–",
  ]);
  return terminal.table(LIST_COLUMNS, rows);
}

function summaryJson({ invite, pushes }: InviteSummary) {
  return { ...inviteJson(invite), pushes: pushes.map(pushJson) };
}
