/** What SmartRecruiters tells about an assessment: the body of its webhook. */
import { hash } from "node:crypto";
import type { Confirmation, NewEvent } from "../../../core/event.ts";
import { EventRefused, type Verified } from "../../contract/source.ts";
import { fields, identifier, optionalFields, optionalIdentifier, timestamp } from "../../reading/fields.ts";
import { readBody } from "../../reading/json-body.ts";
import { readResult } from "../../reading/test-result.ts";
import { V1 } from "./profile.ts";

/**
 * Throws `EventRefused`. Of an event we do not know nothing but its name, id and time is checked. It may be days old:
 * redeliveries go on that long, and are known by their id.
 */
export function parseEvent(body: Buffer, known: Verified & { receivedAt: number }): NewEvent {
  const { payload, root } = readBody(body);
  const type = identifier(root.event, "event");
  const eventId = identifier(known.eventId ?? root.id, "id");
  const at = timestamp(root.occurredAt, "occurredAt");
  const event: NewEvent = {
    source: "smartrecruiters",
    eventId,
    type,
    at,
    receivedAt: known.receivedAt,
    payload,
    bodyHash: hash("sha256", body),
    snapshot: null,
  };
  return type === V1.webhooks.event
    ? { ...event, confirmation: readConfirmation(root.data, { at, signedBy: known }) }
    : event;
}

/** Identifies a body without an id of its own. */
export function idOfBody(body: Buffer): string {
  return hash("sha256", body);
}

function readConfirmation(
  value: unknown,
  { at, signedBy: { org, environment } }: { at: number; signedBy: Verified },
): Confirmation {
  // Nothing in the body tells whose candidate this is.
  if (org === null) throw new EventRefused("the webhook secret that fits belongs to no org");
  const data = fields(value, "data");
  return {
    vendor: "smartrecruiters",
    org,
    environment,
    candidateId: identifier(data.candidateId, "data.candidateId"),
    jobId: optionalIdentifier(data.jobId, "data.jobId"),
    assessmentId: identifier(data.assessmentId, "data.assessmentId"),
    invitationId: optionalIdentifier(data.invitationId, "data.invitationId"),
    status: optionalIdentifier(data.status, "data.status") ?? "",
    at,
    result: readResult(optionalFields(data.result, "data.result"), "data.result"),
  };
}
