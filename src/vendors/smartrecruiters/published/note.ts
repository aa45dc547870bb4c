/**
 * The note in a candidate's activity feed. No call changes one, so a changed result gets one more, which names the one
 * that it replaces. https://developers.smartrecruiters.com/reference/messagessharescreate-1
 */
import { hash } from "node:crypto";
import { isoTime } from "../../../shared/clock.ts";
import type { Update } from "../../contract/destination.ts";
import { receiptOf } from "./receipt.ts";
import type { Application } from "./whose.ts";

export interface Note {
  /** The body of the call. */
  share: object;
  /** To be kept once it is written. */
  kept: { note: string; digest: string; at: number };
}

/** Null where the last note says the same, or notes are not wanted. Pure. */
export function noteFor(
  { projection, version, receipt }: Pick<Update, "projection" | "version" | "receipt">,
  { candidate, job }: Application,
  now: number,
): Note | null {
  const { title, invitation = "" } = projection;
  if (title === undefined) return null;
  const last = receiptOf(receipt);
  const said = [title, projection.summary, projection.resultUrl]
    .filter((line) => line !== undefined)
    .map(harmless);
  const digest = hash("sha256", [candidate, job, ...said].join("\n")).slice(0, 16);
  if (last?.digest === digest) return null;
  const correlationId = `${invitation}-${version}`;
  const replaces =
    last?.note === undefined
      ? []
      : [`This replaces the note of ${minuteOf(last.at ?? now)} (${harmless(last.note)}).`];
  return {
    share: {
      content: [`${said[0]} #[CANDIDATE:${candidate}]`, ...said.slice(1), ...replaces].join("\n"),
      correlationId,
      // The job's hiring team alone: a test's result is nothing for a whole company.
      shareWith: { users: [], hiringTeamOf: [job], everyone: false, openNote: false },
    },
    kept: { note: correlationId, digest, at: now },
  };
}

/** No tags are allowed, and names that come from elsewhere mention nobody. */
function harmless(line: string): string {
  return line.replace(/[<>]/g, "").replace(/([@#])\[/g, "$1 [");
}

function minuteOf(at: number): string {
  return `${isoTime(at).slice(0, 16).replace("T", " ")} UTC`;
}
