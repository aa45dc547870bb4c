/** What JobCannon tells about an invite: the body of a webhook, or one line of an import. */
import { hash } from "node:crypto";
import {
  INVITE_STATUSES,
  type InviteStatus,
  LONGEST_EMAIL,
  type NewEvent,
  type Origin,
  type Snapshot,
  TEST_STATUSES,
  type Test,
} from "../../core/event.ts";
import { EventRefused } from "../contract/source.ts";
import {
  absent,
  type Fields,
  fields,
  identifier,
  list,
  oneOf,
  optionalFields,
  optionalIdentifier,
  optionalText,
  optionalTimestamp,
  timestamp,
} from "../reading/fields.ts";
import { readBody } from "../reading/json-body.ts";
import { readResult } from "../reading/test-result.ts";

const STATUS_OF_TYPE: ReadonlyMap<string, InviteStatus> = new Map([
  ["invite.sent", "invited"],
  ["invite.progress", "in_progress"],
  ["invite.completed", "completed"],
  ["invite.expired", "expired"],
  ["invite.cancelled", "cancelled"],
]);

const ORG_SLUG = /^[a-z0-9][a-z0-9._-]{0,99}$/i;
const LONGEST_NAME = 1_000;

/** Throws `EventRefused`. `snapshot` is null for a type we do not know, of which nothing else is checked. */
export function parseEvent(body: Buffer, known: { eventId: string | null; receivedAt: number }): NewEvent {
  const { payload, root } = readBody(body);
  const type = identifier(root.type, "type");
  const at = timestamp(root.timestamp, "timestamp");
  const status = STATUS_OF_TYPE.get(type);
  return {
    source: "jobcannon",
    eventId: known.eventId === null ? eventIdOfLine(body) : identifier(known.eventId, "webhook-id"),
    type,
    at,
    receivedAt: known.receivedAt,
    payload,
    bodyHash: hash("sha256", body),
    snapshot: status ? readSnapshot(fields(root.data, "data"), { at, status }) : null,
    ...(status ? {} : orgNamedIn(root.data)),
  };
}

/** Of an event that nothing else is read of. */
function orgNamedIn(data: unknown): { org?: string } {
  const org = typeof data === "object" && data !== null && "org" in data ? data.org : null;
  return absent(org) ? {} : { org: readOrg(org) };
}

/** Identifies an event that came as a line of a file: the same line is the same event. Give it without its end. */
export function eventIdOfLine(line: Buffer): string {
  return hash("sha256", line);
}

function readSnapshot(data: Fields, event: { at: number; status: InviteStatus }): Snapshot {
  const candidate = fields(data.candidate, "data.candidate");
  const status = absent(data.status) ? event.status : oneOf(data.status, INVITE_STATUSES, "data.status");
  return {
    org: readOrg(data.org),
    invitationId: identifier(data.invitation_id, "data.invitation_id"),
    at: event.at,
    status,
    sentAt: optionalTimestamp(data.sent_at, "data.sent_at"),
    completedAt: optionalTimestamp(data.completed_at, "data.completed_at"),
    candidate: {
      email: identifier(candidate.email, "data.candidate.email", LONGEST_EMAIL),
      firstName: optionalText(candidate.first_name, "data.candidate.first_name", LONGEST_NAME),
      lastName: optionalText(candidate.last_name, "data.candidate.last_name", LONGEST_NAME),
    },
    tests: list(data.tests, "data.tests").map((test, index) => readTest(test, `data.tests[${index}]`)),
    resultUrl: optionalText(data.result_url, "data.result_url"),
    origin: readOrigin(optionalFields(data.source, "data.source")),
    warnings: status === event.status ? [] : [`data.status is ${status}, but the type says ${event.status}`],
  };
}

function readOrg(value: unknown): string {
  const org = identifier(value, "data.org");
  if (ORG_SLUG.test(org)) return org;
  throw new EventRefused("data.org is not a slug of up to 100 letters, digits and . _ -");
}

function readTest(value: unknown, path: string): Test {
  const test = fields(value, path);
  return {
    slug: identifier(test.slug, `${path}.slug`),
    status: oneOf(test.status, TEST_STATUSES, `${path}.status`),
    completedAt: optionalTimestamp(test.completed_at, `${path}.completed_at`),
    result: readResult(optionalFields(test.result, `${path}.result`), `${path}.result`),
  };
}

function readOrigin(source: Fields | null): Origin | null {
  if (!source) return null;
  return {
    vendor: identifier(source.vendor, "data.source.vendor"),
    candidateId: identifier(source.candidate_id, "data.source.candidate_id"),
    jobId: optionalIdentifier(source.job_id, "data.source.job_id"),
    assessmentId: optionalIdentifier(source.assessment_id, "data.source.assessment_id"),
  };
}
