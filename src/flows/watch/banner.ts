/** What stands in an account's way, in words for one line, and what to type. */
import { sharedAccountTrouble } from "../../core/advice/account-taken.ts";
import { logsCommand, replayCommand, RETRY_COMMAND } from "../../core/advice/command-lines.ts";
import { leftOutWords } from "../../core/advice/left-out.ts";
import { loginTrouble } from "../../core/advice/login-age.ts";
import { confirmWords } from "../../core/advice/not-confirmed.ts";
import { refusalWords } from "../../core/advice/refusal.ts";
import { stuckTroubles } from "../../core/advice/stuck.ts";
import { subscriptionTrouble } from "../../core/advice/subscription.ts";
import { type Connection, type Outage, otherOwner, type VaultTrouble } from "../../core/connection.ts";
import { isDegraded } from "../../core/delivery/outage-record.ts";
import { count, shortTime } from "../../shared/text.ts";
import type { AppError } from "../../shared/errors.ts";
import type { ConnectionCounts, PushCounts } from "../../store/contract/store.ts";

const MINUTE_MS = 60_000;

export interface Moment {
  now: number;
  /** Does a service run, that tries again by itself? */
  isServed: boolean;
  /** What keeps the tokens from being read, where somebody looked just now and the service has not noted it. */
  unread?: AppError | null;
  /** Of every org: two may share an account since a version that allowed it. */
  all: readonly Connection[];
}

/** What stands in the way: before all else that results might come to the wrong people. */
export function troublesOf(label: string, found: ConnectionCounts | undefined, moment: Moment): string[] {
  if (!found) return [];
  const { connection } = found;
  const isLive = connection.state !== "not_connected";
  const other =
    isLive && connection.account ? otherOwner(moment.all, connection, connection.account.id) : null;
  const words = [
    other && sharedAccountTrouble(connection, other),
    connection.state === "connected" && !connection.isConfirmed ? confirmWords(connection) : null,
    ...troublesIn(label, found, moment),
    connection.state === "connected" ? leftOutWords(connection) : null,
  ];
  return words.filter((each) => each !== null);
}

/** What a person must mend hides what waits for it. */
function troublesIn(label: string, found: ConnectionCounts, moment: Moment): (string | null)[] {
  const { connection } = found;
  if (isUnreadable(connection)) return [unreadableWords(connection.vaultTrouble)];
  if (moment.unread) return [unreadWords(moment.unread)];
  const { state, refusal, banner } = connection;
  if (state === "connected" && refusal) return [refusalWords(refusal)];
  if (banner !== null) return [banner];
  const unsubscribed = state === "connected" ? subscriptionTrouble(connection, label) : null;
  if (unsubscribed !== null) return [unsubscribed];
  const ending = loginTrouble(connection, label, moment.now);
  if (ending !== null) return [ending];
  return [...waitingWords(found, moment), ...rejectedWords(found)];
}

/** Why what is due at it waits while a service runs; null where nothing is known to stand in the way. */
export function waitingFor(connection: Connection, now: number): string | null {
  if (isUnreadable(connection)) return unreadableWords(connection.vaultTrouble);
  const { state, refusal, banner, outage } = connection;
  if (state === "connected" && refusal) return refusalWords(refusal);
  if (banner !== null) return banner;
  if (outage === null) return null;
  const failing = isDegraded(outage) ? "fails at the moment" : "did not take the last call";
  return `${failing}${whyWords(outage)}, nothing is lost; ${nextTryWords(outage, { now, isServed: true })}`;
}

function waitingWords(found: ConnectionCounts, moment: Moment): string[] {
  const { connection, pushes, stuck } = found;
  const troubles = stuckTroubles(connection, stuck);
  if (troubles.length > 0)
    return [
      ...troubles.map(({ words }) => words),
      ...nextProbeWords(connection.outage, moment),
      ...goneWords(found),
    ];
  return [...outageWords(connection.outage, pushes, moment), ...heldWords(found), ...goneWords(found)];
}

function heldWords({ connection, pushes, gone }: ConnectionCounts): string[] {
  const held = pushes.held - gone;
  if (held <= 0 || !connection.isConfirmed || connection.state !== "connected") return [];
  return [`${count(held, "result")} held; ${logsCommand(connection, "held")} says why`];
}

function goneWords({ connection, gone }: ConnectionCounts): string[] {
  if (gone === 0 || connection.state !== "connected") return [];
  const those = gone === 1 ? "its contact was" : "their contacts were";
  return [
    `${count(gone, "result")} held, since ${those} deleted there; to make them anew: ${replayCommand(connection, "gone")}`,
  ];
}

/** Read behind the vendor's label. */
function outageWords(outage: Outage | null, { pending }: PushCounts, moment: Moment): string[] {
  if (outage === null) return [];
  const why = whyWords(outage);
  if (isDegraded(outage))
    return [`fails at the moment${why}, nothing is lost; ${nextTryWords(outage, moment)}`];
  return pending > 0 ? [`did not take the last call${why}; ${nextTryWords(outage, moment)}`] : [];
}

function whyWords({ reason }: Outage): string {
  return reason ? ` (${reason})` : "";
}

function nextTryWords(
  { restUntil, notBefore = 0 }: Outage,
  { now, isServed }: Pick<Moment, "now" | "isServed">,
): string {
  if (isServed && restUntil <= now + MINUTE_MS) return "it is tried again within a minute";
  if (notBefore > now) return `it asked to be left in peace until ${shortTime(notBefore)}`;
  const next = isServed ? `the next try is due at ${shortTime(restUntil)}; ` : "";
  return `${next}${RETRY_COMMAND} asks now`;
}

function nextProbeWords(outage: Outage | null, { now }: Moment): string[] {
  if (!isDegraded(outage) || outage.restUntil <= now) return [];
  return [`The next try is due at ${shortTime(outage.restUntil)}`];
}

function rejectedWords({ connection, pushes: { rejected } }: ConnectionCounts): string[] {
  if (rejected === 0) return [];
  const again = replayCommand(connection, "rejected");
  return [
    `${count(rejected, "result")} rejected; ${logsCommand(connection, "rejected")} says why; once that is mended: ${again}`,
  ];
}

type Unreadable = Connection & { vaultTrouble: VaultTrouble };

export function isUnreadable(connection: Connection | undefined): connection is Unreadable {
  return connection?.state === "connected" && connection.vaultTrouble !== null;
}

function unreadableWords({ since, reason, fix }: VaultTrouble): string {
  return `tokens cannot be read since ${shortTime(since)}: ${reason}. Results wait; serve looks every minute and goes on by itself${fixWords(fix)}`;
}

function unreadWords({ message, hint }: AppError): string {
  return `tokens cannot be read: ${message}. Results wait meanwhile${fixWords(hint)}`;
}

function fixWords(fix: string | null | undefined): string {
  return fix ? `. ${fix.replace(/[.]$/, "")}` : "";
}
