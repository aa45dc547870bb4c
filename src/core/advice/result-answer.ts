/** "Why is my result not there?", answered in one sentence. Pure: the terminal and the admin page say the same. */
import { isoTime } from "../../shared/clock.ts";
import { plain, shortTime } from "../../shared/text.ts";
import type { Connection } from "../connection.ts";
import type { Invite } from "../invite.ts";
import type { AttemptOutcome, HeldCause, PushState, Rejection } from "../push.ts";
import {
  assignCommand,
  backfillCommand,
  connectCommand,
  replayInviteCommand,
  resyncCommand,
  RETRY_COMMAND,
  SERVE_COMMAND,
  SWEEP_COMMAND,
  VAULT_COMMAND,
} from "./command-lines.ts";

/** `words` without a full stop; `command`: what to type, null where nothing is to be done. */
export interface Answer {
  tone: "good" | "waiting" | "bad";
  words: string;
  command: string | null;
}

/** One invite at one account. */
export interface Asked {
  invite: Pick<Invite, "invitationId" | "status" | "tests" | "origin">;
  connection: Connection;
  /** The vendor as people write it. */
  label: string;
  /** What the account is to be told; null where nothing ever was to be. */
  push: AskedPush | null;
  /** Of that push, in the order they came. */
  attempts: readonly AskedAttempt[];
  now: number;
  /** Does a service run, that delivers by itself? */
  isServed: boolean;
  /** The vendor failed so often that it is only asked now and then. */
  isDegraded: boolean;
  nextSweepAt: number;
}

export interface AskedPush {
  state: PushState;
  heldCause: HeldCause | null;
  subject: string;
  /** The vendor's own id of the record; null while nobody knows it. */
  record: string | null;
  pendingSince: number | null;
  dueAt: number | null;
  rejection: Rejection | null;
  /** The account has what the invite now says. */
  delivered: boolean;
  /** From this version on a push carries that. */
  stateVersion: number;
  /** Something was told of the subject, be it of another invite. */
  isTold: boolean;
}

export interface AskedAttempt {
  at: number;
  version: number;
  outcome: AttemptOutcome;
  reason: string | null;
}

/** Null where the account is not concerned: an applicant tracking system hears of its own candidates alone. */
export function answerOf(asked: Asked): Answer | null {
  const { push, connection, invite } = asked;
  if (connection.subject === "assessment" && invite.origin?.vendor !== connection.vendor) return null;
  if (push === null || (push.state === "delivered" && !push.delivered)) return untoldAnswer(asked);
  switch (push.state) {
    case "delivered":
      return deliveredAnswer(asked, push);
    case "rejected":
      return rejectedAnswer(asked, push);
    case "held":
      return heldAnswer(asked, push);
    case "pending":
      return pendingAnswer(asked, push);
  }
}

/** The whole sentence. */
export function answerWords({ words, command }: Answer): string {
  return command === null ? `${words}.` : `${words}; run: ${command}`;
}

function deliveredAnswer({ label, connection, attempts }: Asked, push: AskedPush): Answer {
  const good = attempts.filter(({ outcome }) => outcome === "delivered" || outcome === "recreated");
  const first = good.find(({ version }) => version >= push.stateVersion) ?? good.at(-1);
  if (!push.isTold) return waiting(`Nothing of it is for ${label}: no value in it is one that is sent`);
  const when = first ? ` ${secondOf(first.at)}` : "";
  return {
    tone: "good",
    words: `Delivered to ${label}${when}${recordWords(connection, push)}`,
    command: null,
  };
}

function recordWords({ subject }: Connection, { record, subject: id }: AskedPush): string {
  if (subject === "assessment") return ` as the result of assessment ${plain(id)}`;
  return record === null ? "" : ` as contact ${plain(record)}`;
}

function rejectedAnswer({ label, connection, invite, attempts }: Asked, { rejection }: AskedPush): Answer {
  const last = attempts.findLast(({ outcome }) => outcome === "rejected");
  const when = last ? ` ${secondOf(last.at)}` : "";
  const said = rejection ? `: ${plain(rejection.message).replace(/[.\s]+$/, "")}` : "";
  return {
    tone: "bad",
    words: `Refused by ${label}${when}${said}. It waits until the record is mended`,
    command: replayInviteCommand(invite.invitationId, connection),
  };
}

function pendingAnswer(asked: Asked, push: AskedPush): Answer {
  const [why, command] = waitsFor(asked, push);
  return { tone: "waiting", words: `${sinceWords(push)} because ${why}`, command };
}

/** First what no waiting mends, then the vendor, then ourselves. */
function waitsFor(
  { label, connection, attempts, now, isServed, isDegraded }: Asked,
  push: AskedPush,
): [string, string | null] {
  const { refusal, outage } = connection;
  const last = attempts.at(-1);
  const said = last?.outcome === "retry" && last.reason ? ` (${plain(last.reason)})` : "";
  const ask = isServed ? null : RETRY_COMMAND;
  if (refusal) return [`${label} refuses us: ${plain(refusal.reason)}${fixWords(refusal.fix)}`, null];
  if (isDegraded && outage) {
    const why = outage.reason ? ` (${plain(outage.reason)})` : "";
    return [
      `${label} fails since ${shortTime(outage.since)}${why}. ${isServed ? `It goes out by itself once ${label} is back` : NO_SERVICE}`,
      ask,
    ];
  }
  if (push.dueAt !== null && push.dueAt > now)
    return [`${label} did not take it yet${said}. ${againWords(push.dueAt, isServed)}`, ask];
  if (!isServed) return ["no service runs that would deliver it", SERVE_COMMAND];
  return [`its turn has not come yet${said}`, null];
}

const NO_SERVICE = "No service runs that would try again";

function againWords(dueAt: number, isServed: boolean): string {
  return isServed ? `It is tried again ${secondOf(dueAt)}` : NO_SERVICE;
}

function heldAnswer(asked: Asked, push: AskedPush): Answer {
  const [why, command] = heldFor(asked, push.heldCause);
  return { tone: "bad", words: `${sinceWords(push)} because ${why}`, command };
}

function heldFor({ label, connection, invite }: Asked, cause: HeldCause | null): [string, string] {
  switch (cause) {
    case "vault":
      return [`our tokens cannot be read${reasonOf(connection.vaultTrouble)}`, VAULT_COMMAND];
    case "scope": {
      const missing = connection.missingScopes.length > 0 ? ` (${connection.missingScopes.join(", ")})` : "";
      return [`${label} did not grant a scope that it needs${missing}`, connectCommand(connection)];
    }
    case "property":
      return [`${label} lacks a field that it fills`, resyncCommand(connection)];
    case "confirm":
      return [
        `the account came by a link and nobody has confirmed that it is the right one`,
        connectCommand(connection, "--confirm"),
      ];
    case "gone":
      return [
        `the contact was deleted in ${label}, and hubspot.recreate is never: it comes back only on demand`,
        replayInviteCommand(invite.invitationId, connection, "--recreate"),
      ];
    case "candidate":
      return [
        `several candidates of ${label} fit, and somebody has to say whose it is`,
        assignCommand(connection, invite.invitationId),
      ];
    case "disconnected":
      return [`${label} was disconnected`, connectCommand(connection)];
    default:
      return [`${label} no longer takes our login`, connectCommand(connection)];
  }
}

/** The account was never to be told of what the invite now says. */
function untoldAnswer(asked: Asked): Answer {
  const { label, connection, invite, nextSweepAt } = asked;
  const isDone = invite.tests.some(({ status }) => status === "completed");
  if (invite.status === "invited") return waiting("Nothing to send yet: no test is begun");
  if (connection.state !== "connected")
    return bad(`Not sent, because ${label} is not connected`, connectCommand(connection));
  if (connection.subject !== "contact" && invite.status !== "completed")
    return waiting(`Not sent yet: ${label} is told once all tests are completed`);
  if (invite.status === "in_progress")
    return waiting(
      `Waits for the daily sweep, ${secondOf(nextSweepAt)}, as results do that are not complete`,
      SWEEP_COMMAND,
    );
  if (invite.status !== "completed" && !isDone)
    return waiting(
      `Nothing was sent, because it was ${endedWords(invite.status)} before any test was completed`,
    );
  return bad(
    `Never sent, because it came before ${label} was connected`,
    backfillCommand(connection, "--yes"),
  );
}

function endedWords(status: Invite["status"]): string {
  return status === "expired" ? "over" : "cancelled";
}

function waiting(words: string, command: string | null = null): Answer {
  return { tone: "waiting", words, command };
}

function bad(words: string, command: string): Answer {
  return { tone: "bad", words, command };
}

function sinceWords({ pendingSince }: AskedPush): string {
  return pendingSince === null ? "Waits" : `Waits since ${secondOf(pendingSince)}`;
}

function reasonOf(trouble: Connection["vaultTrouble"]): string {
  return trouble === null ? "" : `: ${plain(trouble.reason)}`;
}

function fixWords(fix: string | null): string {
  return fix === null ? "" : `. ${plain(fix).replace(/[.\s]+$/, "")}`;
}

/** "2026-11-22 11:49:03 UTC". */
function secondOf(at: number): string {
  return `${isoTime(at).slice(0, 19).replace("T", " ")} UTC`;
}
