import type { NewEvent } from "../../../core/event.ts";
import type { Invite } from "../../../core/invite.ts";
import { raisesPush, subjectOf } from "../../../core/subject.ts";
import { NO_CONTACT } from "../../rows/rows.ts";
import { lastOfEach, type Raise } from "../rows/raise.ts";

/** An invite as a transaction leaves it. */
export interface InviteInHand {
  id: number;
  /** Its row is not there yet. */
  isNew: boolean;
  invite: Invite;
  contact: string;
  /** `saved`: a new state, under a version of its own; `kept`: the same state, with other words beside it. */
  change: "none" | "kept" | "saved";
  /** Of its last saving. */
  version: number;
}

export interface StoredEvent {
  seq: number;
  event: NewEvent;
  conflict: boolean;
  inviteId: number | null;
}

/** What is written together. */
export interface Writing {
  invites: readonly InviteInHand[];
  events: readonly StoredEvent[];
  raises: readonly Omit<Raise, "runId">[];
  /** The assessments whose invites came. */
  ended: readonly { assessment: string; now: number }[];
  counts: Readonly<Record<string, number>>;
}

/** One statement; null where there is nothing to write. */
export function writingStatement(writing: Writing): { text: string; values: unknown[][] } | null {
  const saved = writing.invites.filter(({ change }) => change === "saved");
  const kept = writing.invites.filter(({ change }) => change === "kept");
  const raises = lastOfEach(writing.raises);
  const counts = Object.entries(writing.counts).filter(([, n]) => n > 0);
  const values = [
    ...invitesGiven(saved),
    kept.map(({ id }) => id),
    kept.map(({ invite }) => JSON.stringify(invite)),
    ...eventsGiven(writing.events),
    raises.map(({ connectionId }) => connectionId),
    raises.map(({ subject }) => subject),
    raises.map(({ holdCause }) => holdCause),
    raises.map(({ version }) => version),
    raises.map(({ now }) => now),
    writing.ended.map(({ assessment }) => assessment),
    writing.ended.map(({ now }) => now),
    counts.map(([name]) => name),
    counts.map(([, n]) => n),
  ];
  if (values.every(({ length }) => length === 0)) return null;
  return { text: WRITE, values };
}

const WRITE = `SELECT jc.write_intake(${[
  ...["bigint", "boolean", "text", "text", "text", "text", "text", "bigint", "integer", "bigint", "text"],
  ...["bigint", "text"],
  ...["bigint", "text", "text", "bytea", "text", "bigint", "bigint", "integer", "bigint", "text"],
  ...["bigint", "text", "text", "bigint", "bigint"],
  ...["text", "bigint", "text", "bigint"],
]
  .map((type, index) => `$${index + 1}::${type}[]`)
  .join(", ")})`;

function invitesGiven(some: readonly InviteInHand[]): unknown[][] {
  return [
    some.map(({ id }) => id),
    some.map(({ isNew }) => isNew),
    some.map(({ invite }) => invite.org),
    some.map(({ invite }) => invite.invitationId),
    some.map(({ contact }) => contact),
    some.map(({ invite }) => subjectOf("assessment", invite)),
    some.map(({ invite }) => invite.status),
    some.map(({ invite }) => invite.at),
    some.map(({ contact, invite }) =>
      Number(contact !== NO_CONTACT && raisesPush("contact", invite, { pushedBefore: false })),
    ),
    some.map(({ version }) => version),
    some.map(({ invite }) => JSON.stringify(invite)),
  ];
}

function eventsGiven(some: readonly StoredEvent[]): unknown[][] {
  return [
    some.map(({ seq }) => seq),
    some.map(({ event }) => event.source),
    some.map(({ event }) => event.eventId),
    some.map(({ event }) => Buffer.from(event.bodyHash, "hex")),
    some.map(({ event }) => event.type),
    some.map(({ event }) => event.at),
    some.map(({ event }) => event.receivedAt),
    some.map(({ conflict }) => Number(conflict)),
    some.map(({ inviteId }) => inviteId),
    some.map(({ event }) => event.payload),
  ];
}
