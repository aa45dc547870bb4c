import {
  assignCommand,
  connectCommand,
  logsCommand,
  QUESTIONS_COMMAND,
  replayCommand,
  requestsCommand,
  resyncCommand,
  statusCommand,
} from "./command-lines.ts";
import { refusalWords } from "./refusal.ts";
import { count, shortTime } from "../../shared/text.ts";
import type { Connection, Outage } from "../connection.ts";
import type { StuckCounts } from "../push.ts";

/** Results that do not move, and what to do about it, which depends on the cause. */
export interface StuckTrouble {
  cause: "property" | "scope" | "candidate" | "vendor" | "record";
  words: string;
}

/** Of events that only name what happened, while their vendor does not answer. */
export function unansweredWords({
  vendor,
  n,
  since,
  reason,
}: {
  vendor: string;
  n: number;
  since: number;
  reason: string | null;
}): string {
  const why = reason ?? `see whether serve runs, or run: ${QUESTIONS_COMMAND}`;
  return `${count(n, "event")} of ${vendor} to be looked up since ${shortTime(since)}: ${why}`;
}

/** Of invites that stages want, while JobCannon does not take the wish. */
export function unaskedWords({
  org,
  n,
  since,
  reason,
}: {
  org: string;
  n: number;
  since: number;
  reason: string | null;
}): string {
  const why = reason === null ? "" : `: ${reason}`;
  return `${count(n, "invite")} wanted by stages could not be asked of JobCannon since ${shortTime(since)}${why}. Each is tried again by itself; ${requestsCommand({ org })} shows each try`;
}

export function stuckInAll(stuck: StuckCounts): number {
  return Object.values(stuck).reduce((sum: number, n: number) => sum + n, 0);
}

/**
 * One for each cause, first what a person must mend. None for a connection without tokens, whose own trouble comes
 * first. Records on which the vendor fails are told apart from an outage, so that neither hides the other.
 */
export function stuckTroubles(connection: Connection, stuck: StuckCounts): StuckTrouble[] {
  if (connection.state !== "connected") return [];
  const { outage } = connection;
  const isDown = outage !== null && outage.suspect === null;
  const ofVendor = stuck.waiting + (isDown ? stuck.failing : 0);
  const ofRecord = stuck.quarantined + (isDown ? 0 : stuck.failing);
  const isCertain = stuck.quarantined === ofRecord;
  const found: [StuckTrouble["cause"], n: number, advice: string][] = [
    ["property", stuck.property, `a property is missing there. Run: ${resyncCommand(connection)}`],
    ["scope", stuck.scope, scopeAdvice(connection)],
    ["candidate", stuck.candidate, `somebody must say whose they are. Run: ${assignCommand(connection)}`],
    ["vendor", ofVendor, vendorAdvice(connection)],
    ["record", ofRecord, recordAdvice(connection, isCertain)],
  ];
  return found
    .filter(([, n]) => n > 0)
    .map(([cause, n, advice]) => ({
      cause,
      words: `${count(n, "result")} undelivered to ${connection.vendor} for over 30 minutes: ${advice}`,
    }));
}

function scopeAdvice(connection: Connection): string {
  return `a scope was not granted, ${logsCommand(connection, "held")} says which. Grant it, then run: ${connectCommand(connection)}`;
}

function vendorAdvice(connection: Connection): string {
  const { outage, refusal } = connection;
  if (refusal) return refusalWords(refusal);
  return outage ? outageAdvice(connection, outage) : serviceAdvice(connection);
}

function outageAdvice({ vendor }: Connection, { since, reason }: Outage): string {
  const said = reason ? ` (${reason})` : "";
  return `${vendor} fails since ${shortTime(since)}${said}. It is asked again every few minutes, and all goes out by itself; its status page says more`;
}

function serviceAdvice({ vendor, org }: Connection): string {
  return `${vendor} is not known to fail. Where no service runs, start serve; else see what it logged last (${statusCommand({ org })} names it)`;
}

function recordAdvice(connection: Connection, isCertain: boolean): string {
  const { vendor } = connection;
  const blame = isCertain
    ? `${vendor} takes others and fails on what is in them`
    : `${vendor} fails on them. If it fails on others too, all goes out by itself once it is back; if not, it is what is in them`;
  const again = replayCommand(connection, "one record");
  return `${blame}. ${logsCommand(connection, "retry")} says more; once the record is mended: ${again}`;
}
