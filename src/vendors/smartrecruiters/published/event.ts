/** What the vendor's webhooks tell: which thing changed, by its ids alone. */
import { hash } from "node:crypto";
import type { NewEvent } from "../../../core/event.ts";
import { EventRefused, type Verified } from "../../contract/source.ts";
import { identifier } from "../../reading/fields.ts";
import { readBody } from "../../reading/json-body.ts";
import { STAGE_EVENTS } from "./contract.ts";

/**
 * Throws `EventRefused`. Of an event that concerns no stage nothing but its name and id is checked, and nobody asks about
 * it: our own writes come back as such.
 */
export function parsePublished(
  body: Buffer,
  known: Verified & { receivedAt: number; headers: Readonly<Record<string, string>> },
): NewEvent {
  const { payload, root } = readBody(body);
  const { receivedAt, headers, org, environment } = known;
  const type = identifier(headers.name, "event-name");
  const event: NewEvent = {
    source: "smartrecruiters",
    eventId: identifier(known.eventId, "event-id"),
    type,
    at: momentOf(headers.timestamp, receivedAt),
    receivedAt,
    payload,
    bodyHash: hash("sha256", body),
    snapshot: null,
  };
  if (!STAGE_EVENTS.includes(type)) return event;
  if (org === null) throw new EventRefused("the webhook secret that fits belongs to no org");
  const about = {
    candidateId: identifier(root.candidate_id, "candidate_id"),
    jobId: identifier(root.job_id, "job_id"),
    applicationId: identifier(root.application_id, "application_id"),
  };
  return { ...event, asks: { vendor: "smartrecruiters", org, environment, about } };
}

/** Seconds, by the vendor's clock, when it was signed: redeliveries may carry a new one, and none comes from the future. */
function momentOf(timestamp: string | undefined, receivedAt: number): number {
  const at = Number(timestamp || Number.NaN) * 1_000;
  return at > 0 ? Math.min(at, receivedAt) : receivedAt;
}
