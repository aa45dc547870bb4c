/** What stands where, at a glance: a block for each account, what concerns all of them, then what to type. */
import {
  backfillCommand,
  connectCommand,
  requestsCommand,
  RETRY_COMMAND,
  SERVE_COMMAND,
  subscribeCommand,
  wantedCommand,
} from "../../core/advice/command-lines.ts";
import { unconnectedWords } from "../../core/advice/unconnected.ts";
import { widest } from "../../shared/layout.ts";
import type { Terminal, Tone } from "../../shared/terminal.ts";
import { count, grouped, plain, possessive, relativeTime, shortTime } from "../../shared/text.ts";
import type { PushCounts } from "../../store/contract/store.ts";

/** As many as fit into a line or two. */
const MOST_ORGS = 10;
const MIB = 1024 * 1024;
/** Less than this on the disk of the log is told before it is nothing. */
const SCARCE_BYTES = 64 * MIB;

export type Status = Awaited<ReturnType<typeof import("../../flows/status/status.ts").statusOf>>;
type ConnectionStatus = Status["connections"][number];

interface Seen {
  terminal: Terminal;
  now: number;
  stateDir: string;
  /** What is told below as the command's error, if anything. */
  trouble: { message: string } | null;
}

/** One org, or several one below the other; what is the machine's is told once. */
export function renderStatus(statuses: readonly Status[], seen: Seen): string {
  const { paint } = seen.terminal;
  const [first] = statuses;
  if (!first) return "";
  const isAlone = statuses.length === 1;
  const machine = machineNotes(first, seen, { unconnected: isAlone ? first.unconnected : [] });
  // Of a log that is elsewhere now: what is to be done about it is seen there.
  const isRetired = first.log.copiedTo !== null;
  const next = statuses.flatMap(nextCommands);
  const alerts = first.nobodyAlerted
    ? [`nobody is alerted of trouble, ${first.nobodyAlerted.reason}: ${first.nobodyAlerted.hint}`]
    : [];
  const steps = isRetired ? [] : [...new Set([...next, ...nextForService(statuses), ...alerts])];
  return [
    ...statuses.flatMap((status, index) => [...(index === 0 ? [] : [""]), ...orgLines(status, seen)]),
    ...(machine.length > 0 ? ["", ...machine] : []),
    "",
    paint.dim(
      `next sweep ${shortTime(Date.parse(first.nextSweepAt))} · ${backupWords(first, seen)} · service ${first.service}`,
    ),
    ...serviceLines(first).map((line) => paint.dim(line)),
    ...(steps.length > 0 ? ["", ...steps.map((step) => `→ ${step}`)] : []),
  ].join("\n");
}

function orgLines(status: Status, seen: Seen): string[] {
  const { paint } = seen.terminal;
  const notes = orgNotes(status, seen);
  const { copiedTo } = status.log;
  const head = `${paint.bold(status.org)}  ${paint.dim(holdsWords(status))}`;
  if (copiedTo !== null) return [head];
  return [
    head,
    ...status.connections.flatMap((connection) => ["", ...connectionLines(status, connection, seen)]),
    ...(notes.length > 0 ? ["", ...notes] : []),
  ];
}

function holdsWords({ isLogRead, log, invites, events, orgs }: Status): string {
  if (!isLogRead) return "the log cannot be read: what is connected is not known";
  if (log.copiedTo !== null)
    return `the log is in ${log.copiedTo} now: what is connected, and what waits, is seen there`;
  const taken = `${count(events.total, "event")} taken`;
  return `${count(invites, "invite")}; ${taken} ${orgs.length > 1 ? "of all organisations" : "in all"}`;
}

function connectionLines({ isLogRead }: Status, connection: ConnectionStatus, seen: Seen): string[] {
  const { terminal } = seen;
  const { paint, pill } = terminal;
  const { label, account, lastSyncAt, pushes, troubles, versionWarning, residency } = connection;
  const { state, subscription, linkExpiresAt } = connection;
  const synced = lastSyncAt === null ? "nothing sent yet" : `last sync ${ago(lastSyncAt, seen)}`;
  const stuck = pushes.stuck > 0 ? ` · ${paint.red(`${grouped(pushes.stuck)} stuck`)}` : "";
  const isNew = state === "not_connected" && account === null;
  const warning = (words: string) => paint.yellow(`! ${words}`);
  return [
    `${paint.bold(label)}  ${pill(...(isLogRead ? pillOf(connection) : NOT_KNOWN))}`,
    ...(account === null ? [] : [`  ${plain(account)}, ${synced}`]),
    ...(isNew || !isLogRead ? [] : [`  ${queueOf(pushes)}${stuck}`]),
    ...troubles.map((words) => warning(`${label}: ${words}`)),
    ...(versionWarning ? [warning(versionWarning)] : []),
    ...(residency === null || (residency.isAllowed === null && residency.account !== null)
      ? []
      : [residency.isTrouble ? warning(residency.words) : paint.dim(`  ${residency.words}`)]),
    ...(state === "connected" && subscription?.state === "active"
      ? [
          paint.dim(
            `  ${label}: its webhook subscription is active, looked at ${ago(subscription.checkedAt, seen)}`,
          ),
        ]
      : []),
    ...(linkExpiresAt !== null && state !== "waiting_for_consent"
      ? [paint.dim(`  ${label}: a link for consent is open until ${shortTime(Date.parse(linkExpiresAt))}`)]
      : []),
  ];
}

/** What concerns the org, beside its accounts. */
function orgNotes(status: Status, seen: Seen): string[] {
  const { paint } = seen.terminal;
  const nothing =
    status.isKnown || status.storage.length > 0
      ? []
      : [paint.yellow(`! ${nothingWords(status, seen.stateDir)}`)];
  const asked = status.questions.map(({ label, n, since, reason }) => {
    const words = `${count(n, "event")} of ${label} to be looked up, the oldest came ${ago(since, seen)}`;
    return reason === null ? paint.dim(words) : paint.yellow(`! ${words}. ${reason}`);
  });
  return [
    ...nothing,
    ...asked,
    ...wantedLines(status, paint),
    ...removedWords(status).map((words) => paint.yellow(`! ${words}`)),
    ...erasedWords(status).map((words) => paint.dim(words)),
  ];
}

/** What concerns all orgs: the log, the disk, the service, the configuration, who sends us webhooks. */
function machineNotes(
  status: Status,
  { terminal, stateDir, trouble: below }: Seen,
  { unconnected }: Pick<Status, "unconnected">,
): string[] {
  const { yellow } = terminal.paint;
  const { trouble } = status.backup;
  // Of a database that is away the error below says all.
  const isAway = status.log.kind === "postgres" && !status.isLogRead;
  const told = status.storage.filter(({ message }) => !isAway || message !== below?.message);
  // What is typed for it stands below, once.
  const storage = [...told, ...status.secrets].map(
    ({ message, hint }) => `${message}${hint === null || message === below?.message ? "" : `\n  ${hint}`}`,
  );
  if (status.log.copiedTo !== null) return storage.map((each) => yellow(`! ${each}`));
  const words = [
    ...storage,
    ...diskWords(status.disk, stateDir),
    ...(trouble === null ? [] : [plain(trouble)]),
    ...status.services.flatMap(({ advice }) => advice),
    ...[...status.secretWarnings, ...status.openToOthers, ...status.settingWarnings].map(plain),
    ...status.refused.flatMap(({ banner }) => (banner ? [banner] : [])),
    ...[unconnectedWords(unconnected)].filter((each) => each !== null),
  ];
  return words.map((each) => yellow(`! ${each}`));
}

function ago(at: string | null, { now }: Seen): string {
  return at === null ? "–" : relativeTime(Date.parse(at), now);
}

function backupWords({ log, backup, isLogRead }: Status, seen: Seen): string {
  if (log.kind === "postgres" || log.copiedTo !== null) return "backups are the database's";
  if (backup.lastAt === null && !isLogRead) return "backups cannot be seen";
  return backup.lastAt === null ? "no backup in backup.dir yet" : `last backup ${ago(backup.lastAt, seen)}`;
}

/** One for each: where it is and what it runs, in columns. Where the log is a file all of them run here. */
function serviceLines({ services, log }: Status): string[] {
  const rows = services.map(({ host, pid, listen, admin, version, build, config, tls }) => [
    log.kind === "postgres" && host !== null ? `on ${plain(host)}` : "",
    pid === null ? "" : `pid ${pid}`,
    listen ?? "",
    admin === null ? "" : `admin ${admin}`,
    `${version} (build ${build})`,
    config === null ? "no configuration file" : `configuration ${config.digest}`,
    tls === null ? "" : `certificate until ${shortTime(Date.parse(tls.endsAt))}`,
  ]);
  return inColumns(rows).map((line) => `  ${line}`);
}

/** Beside one another; a column that all leave empty takes no room. */
function inColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, at) => widest(rows.map((row) => row[at] ?? "")));
  return rows.map((row) =>
    row
      .flatMap((cell, at) => (widths[at] === 0 ? [] : [cell.padEnd(widths[at] ?? 0)]))
      .join("  ")
      .trimEnd(),
  );
}

/** Who sees nothing has often mistyped the org, or looks into another state directory. */
function nothingWords({ org, orgs, log }: Status, stateDir: string): string {
  const others = orgs.slice(0, MOST_ORGS).join(", ") + (orgs.length > MOST_ORGS ? ", …" : "");
  const known = orgs.length > 0 ? `; the orgs there: ${others}` : "";
  return `${org} has no connection and no events in ${log.kind === "postgres" ? log.place : stateDir}${known}`;
}

function diskWords(disk: Status["disk"], stateDir: string): string[] {
  if (disk === null || disk.freeBytes >= SCARCE_BYTES) return [];
  const free = Math.floor(disk.freeBytes / MIB);
  const [state, refuses] =
    free > 0
      ? [`almost full (${free} MB left)`, "once it is full, serve refuses events"]
      : ["full (nothing left)", "serve refuses events"];
  return [
    `the disk of ${stateDir} is ${state}: ${refuses} with 503 until there is room, nothing acknowledged is lost`,
  ];
}

/** Those that JobCannon is being asked for are none of a person's business until it says no. */
function wantedLines({ org, wanted }: Status, paint: Terminal["paint"]): string[] {
  const { n, forPerson, since, reason } = wanted;
  if (n === 0) return [];
  const words = `${count(n, "invite")} wanted by stages, the oldest since ${since?.slice(0, 16).replace("T", " ")} UTC`;
  if (forPerson > 0)
    return [paint.yellow(`! ${words}; ${forPerson} for a person to send: ${wantedCommand({ org })}`)];
  return [
    reason === null ? paint.dim(words) : paint.yellow(`! ${words}. ${reason}: ${requestsCommand({ org })}`),
  ];
}

function erasedWords({ erased: { refused } }: Status): string[] {
  if (refused === 0) return [];
  return [`${count(refused, "later event")} of people who were erased refused within 30 days`];
}

function removedWords({ retention: { days, rejected, lastAt } }: Status): string[] {
  if (rejected === 0 || lastAt === null) return [];
  const were = rejected === 1 ? "was" : "were";
  return [
    `${count(rejected, "result")} that a vendor had rejected ${were} removed after ${count(days, "day")}, never delivered, the last on ${lastAt.slice(0, 10)}`,
  ];
}

function nextCommands(status: Status): string[] {
  const { org, connections } = status;
  return connections.flatMap(({ label, vendor, environment, state, isExpected, subscription, unsent }) => {
    if (!status.isLogRead) return [];
    if (state === "not_connected" && !isExpected) return [];
    if (state === "not_connected") return [`connect: ${connectCommand({ org, vendor, environment })}`];
    const name = { org, vendor, environment };
    const subscribing =
      state === "connected" && subscription?.state === "none"
        ? [`let ${possessive(label)} webhooks reach us: ${subscribeCommand(name)}`]
        : [];
    const earlier =
      unsent > 0
        ? [
            `${count(unsent, "earlier result")} ${unsent === 1 ? "was" : "were"} never sent: ${backfillCommand(name, "--yes")}`,
          ]
        : [];
    return [...subscribing, ...earlier];
  });
}

function nextForService(statuses: readonly Status[]): string[] {
  const connections = statuses.flatMap((status) => status.connections);
  const pending = statuses.reduce((sum, { pushes }) => sum + pushes.pending, 0);
  if (connections.every(({ state }) => state === "not_connected")) return [];
  if (statuses[0]?.service !== "not running") return [];
  if (connections.some(({ linkExpiresAt }) => linkExpiresAt !== null))
    return [`the consent will be taken by: ${SERVE_COMMAND}`];
  if (pending === 0) return [`deliver as they come: ${SERVE_COMMAND}`];
  return [
    `${count(pending, "result")} ${pending === 1 ? "waits" : "wait"} for delivery: ${SERVE_COMMAND} or, once: ${RETRY_COMMAND}`,
  ];
}

/** Without the log nobody can tell whether it is connected. */
const NOT_KNOWN: [string, Tone] = ["Not known", "off"];

function pillOf({ state, tokens }: Pick<ConnectionStatus, "state" | "tokens">): [string, Tone] {
  if (tokens === "unreadable") return ["Tokens unreadable", "bad"];
  return state === "connected" ? ["Connected", "good"] : ["Not connected", "off"];
}

function queueOf(pushes: PushCounts): string {
  const { delivered, pending, held, rejected } = pushes;
  if (delivered + pending + held + rejected === 0) return "no result to deliver so far";
  const parts = [`${grouped(delivered)} delivered`];
  if (pushes.pending > 0) parts.push(`${grouped(pushes.pending)} pending`);
  if (pushes.held > 0) parts.push(`${grouped(pushes.held)} held`);
  if (pushes.rejected > 0) parts.push(`${grouped(pushes.rejected)} rejected`);
  return parts.join(", ");
}
