import { withoutEffectWords } from "./session/told-status.ts";
import { IMPORT_COMMAND, inviteCommand, invitesCommand } from "../core/advice/command-lines.ts";
import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { INVITE_STATUSES, type InviteStatus } from "../core/event.ts";
import type { Invite } from "../core/invite.ts";
import type { ImportReport } from "../flows/intake/import-events.ts";
import { AppError } from "../shared/errors.ts";
import type { Terminal } from "../shared/terminal.ts";
import { count, grouped, listed, maskEmail, maskEmailsIn, plain, short, shortTime } from "../shared/text.ts";
import { EMAIL_OPTION, EMAIL_WORDS, emailFrom } from "./session/email.ts";
import { logToRead } from "./session/log-to-read.ts";
import { maskedWords } from "./session/masked-words.ts";
import { readLimit } from "./session/option-values.ts";
import type { InviteHistory, InviteSummary, PushSummary, Store } from "../store/contract/store.ts";
import { defined } from "./replay.ts";
import { type Session, withApp } from "./session/with-app.ts";
import type { World } from "../shared/world.ts";

export function registerInvites(program: Command, world: World): void {
  const invites = program
    .command("invites")
    .description("feed events in, look at invites and their deliveries");

  invites
    .command("import <file>")
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
    .option("--limit <n>", "how many", readLimit, 20)
    .option("--reveal", "show addresses in full")
    .addHelpText("after", "\nExample:\n  jc-integrations invites list --status completed --limit 50")
    .action(({ reveal, status, email: given, limit }: ListFlags, command: Command) =>
      withApp(world, command, async (session) => {
        const { app, terminal, print } = session;
        const email = await emailFrom(session, given);
        const store = await logToRead(session);
        const filter = defined({ status, email });
        const found = (await store?.invites({ org: app.org, ...filter, limit })) ?? [];
        const invites = reveal ? found : found.map(withMaskedAddresses);
        const mayHaveOthers = found.length === 0 && Object.keys(filter).length > 0;
        const others = mayHaveOthers ? await store?.invites({ org: app.org, limit: 1 }) : [];
        print({
          json: { invites: shownJson(invites.map(summaryJson), { reveal }) },
          text: () => {
            if (found.length > 0) return renderList(invites, terminal);
            return others?.length ? "No invite matches." : NO_INVITES;
          },
        });
      }),
    );

  invites
    .command("show [invitation]")
    .description("one invite with its events, pushes and attempts")
    .option(EMAIL_OPTION, `instead of an invitation: this candidate's newest ${EMAIL_WORDS}`)
    .option("--reveal", "show addresses in full")
    .addHelpText("after", "\nExample:\n  jc-integrations invites show inv_7Q2")
    .action((id: string | undefined, { reveal, email }: ShowFlags, command: Command) =>
      withApp(world, command, async (session) => {
        const { app, globals, terminal, print } = session;
        const address = await emailFrom(session, email);
        if ((id === undefined) === (address === undefined))
          throw new AppError("USAGE", "name one invitation, or a candidate with --email");
        const store = await logToRead(session);
        const found = await findInvite(store, { org: app.org, id, email: address });
        if (!found) {
          const which = id === undefined ? "of that candidate" : plain(id);
          throw new AppError("USAGE", `${app.org} has no invite ${which}`, {
            hint: `${invitesCommand(globals.org === undefined ? {} : { org: app.org })} shows the newest ones.`,
          });
        }
        const history = reveal ? found : withMaskedAddresses(found);
        print({
          json: shownJson(historyJson(history), { reveal }),
          text: () => renderHistory(history, terminal),
        });
      }),
    );
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
  reveal?: boolean;
}

interface ListFlags {
  status?: InviteStatus;
  email?: string;
  limit: number;
  reveal?: boolean;
}

/** Addresses are personal data: masked until asked for, in words about them too. */
function withMaskedAddresses<Found extends InviteSummary & Partial<InviteHistory>>(found: Found): Found {
  const { invite, pushes, attempts } = found;
  const email = invite.candidate.email.trim();
  const subjects = [email, ...pushes.flatMap((push) => [push.subject, ...sharersOf(push)])];
  const masked = (words: string) => maskedWords(words, subjects);
  return {
    ...found,
    invite: {
      ...invite,
      candidate: { ...invite.candidate, email: maskEmail(email) },
      warnings: invite.warnings.map(masked),
    },
    pushes: pushes.map((push) => ({
      ...push,
      subject: maskEmail(push.subject),
      ...(push.shared && { shared: { ...push.shared, subjects: sharersOf(push).map(maskEmail) } }),
      rejection: push.rejection && { ...push.rejection, message: masked(push.rejection.message) },
      warnings: push.warnings.map((warning) => ({ ...warning, reason: masked(warning.reason) })),
    })),
    ...(attempts && {
      attempts: attempts.map((attempt) => ({
        ...attempt,
        reason: attempt.reason === null ? null : masked(attempt.reason),
      })),
    }),
  };
}

/** Other addresses of the contact that the push is about. */
function sharersOf({ shared }: Pick<PushSummary, "shared">): string[] {
  return shared?.subjects ?? [];
}

/** What else may hold an address, such as a link. */
function shownJson<Json>(json: Json, { reveal }: { reveal: boolean | undefined }): Json {
  if (reveal) return json;
  return JSON.parse(
    JSON.stringify(json, (_, value: unknown) => (typeof value === "string" ? maskEmailsIn(value) : value)),
  );
}

async function importFile({ app, world, terminal, globals, print }: Session, file: string): Promise<void> {
  const { importEvents } = await import("../flows/intake/import-events.ts");
  const [source] = (await app.sources()).filter(({ id }) => id === "jobcannon");
  if (!source) throw new Error("JobCannon is no source any more");
  const store = await app.store();
  const progress = terminal.progress("importing", null);
  const report = await importEvents({ store, clock: app.clock }, source, {
    input: file === "-" ? world.io.stdin : openFile(resolve(world.cwd, file)),
    signal: world.signal,
    onProgress: ({ read, bad }) => {
      if (!globals.json) progress.set(read, bad.length > 0 ? `${bad.length} bad` : "");
    },
  });
  if (!globals.json) progress.end();
  print({
    json: { ...report, warnings: shownJson(report.warnings, { reveal: false }) },
    text: () =>
      [
        `${count(report.read, "event")} read: ${report.stored} stored, ${report.known} known before, ${report.bad.length} bad`,
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
    hint: "Mend those lines and import the file again: what is stored already changes nothing.",
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

function renderList(found: readonly InviteSummary[], terminal: Terminal): string {
  const rows = found.map(({ invite, pushes }) => [
    plain(invite.invitationId),
    short(invite.candidate.email.trim()),
    invite.status,
    `${invite.tests.filter((test) => test.status === "completed").length}/${invite.tests.length}`,
    shortTime(invite.at),
    pushes.map((push) => `${placeOf(push)}: ${stateWords(push)}`).join(", ") || "–",
  ]);
  return terminal.table(["invite", "candidate", "status", "tests", "newest event", "delivery"], rows);
}

function placeOf({ vendor, environment }: Pick<PushSummary, "vendor" | "environment">): string {
  return environment === "sandbox" ? `${vendor} (sandbox)` : vendor;
}

function stateWords(push: Pick<PushSummary, "state" | "heldCause"> & { delivered: boolean }): string {
  if (push.state === "held") return `held (${push.heldCause})`;
  if (push.state === "delivered" && !push.delivered) return "waits for the sweep";
  return push.state;
}

function renderHistory({ invite, events, pushes, attempts }: InviteHistory, terminal: Terminal): string {
  const { paint } = terminal;
  const section = (title: string, headings: string[], rows: string[][]) =>
    rows.length === 0 ? [] : ["", paint.bold(title), terminal.table(headings, rows)];
  return [
    `${paint.bold(plain(invite.invitationId))}  ${invite.status}  ${short(invite.candidate.email.trim())}`,
    ...invite.warnings.map((warning) => paint.yellow(`! ${plain(warning)}`)),
    ...section(
      "Tests",
      ["test", "status", "completed"],
      invite.tests.map((test) => [
        plain(test.slug),
        test.status,
        test.completedAt === null ? "–" : shortTime(test.completedAt),
      ]),
    ),
    ...section(
      "Events",
      ["type", "happened", "received", "id", ""],
      events.map((event) => [
        plain(event.type),
        shortTime(event.at),
        shortTime(event.receivedAt),
        plain(event.eventId),
        paint.yellow(oddityOf(event)),
      ]),
    ),
    ...section(
      "Pushes",
      ["vendor", "state", "version", "delivered", "warnings"],
      pushes.map((push) => [
        push.vendor,
        stateWords(push),
        String(push.version),
        String(push.deliveredVersion),
        push.warnings.map(({ field, reason }) => `${field}: ${plain(reason)}`).join("; ") || "–",
      ]),
    ),
    ...pushes.flatMap((push) => sharedLines(push)),
    ...section(
      "Attempts",
      ["at", "vendor", "outcome", "status", "ms", "correlation id", "words"],
      attempts.map((attempt) => [
        shortTime(attempt.at),
        attempt.vendor,
        attempt.outcome,
        String(attempt.httpStatus ?? "–"),
        String(attempt.durationMs),
        plain(attempt.correlationId ?? "–"),
        short(attempt.reason ?? "", 200),
      ]),
    ),
  ].join("\n");
}

function oddityOf({ conflict, told }: InviteHistory["events"][number]): string {
  const words = [conflict ? "same id, other body" : "", told === null ? "" : withoutEffectWords(told)];
  return words.filter((each) => each !== "").join("; ");
}

function sharedLines({ vendor, shared }: PushSummary): string[] {
  if (!shared) return [];
  const others = listed(shared.subjects.map((subject) => short(subject)));
  return [
    `  ${vendor}: shares contact ${plain(shared.record)} with ${others}; it shows the newest results of all`,
  ];
}

const iso = (at: number | null) => (at === null ? null : new Date(at).toISOString());

function inviteJson(invite: Invite) {
  return {
    invitationId: invite.invitationId,
    org: invite.org,
    status: invite.status,
    candidate: invite.candidate,
    tests: invite.tests.map((test) => ({ ...test, completedAt: iso(test.completedAt) })),
    at: iso(invite.at),
    sentAt: iso(invite.sentAt),
    completedAt: iso(invite.completedAt),
    resultUrl: invite.resultUrl,
    source: invite.origin,
    warnings: invite.warnings,
  };
}

function summaryJson({ invite, pushes }: InviteSummary) {
  return { ...inviteJson(invite), pushes };
}

function historyJson({ invite, events, pushes, attempts }: InviteHistory) {
  return {
    invite: inviteJson(invite),
    events: events.map((event) => ({ ...event, at: iso(event.at), receivedAt: iso(event.receivedAt) })),
    pushes: pushes.map((push) => ({ ...push, pendingSince: iso(push.pendingSince), dueAt: iso(push.dueAt) })),
    attempts: attempts.map((attempt) => ({ ...attempt, at: iso(attempt.at) })),
  };
}
