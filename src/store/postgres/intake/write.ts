import type { NewEvent } from "../../../core/event.ts";
import type { Invite } from "../../../core/invite.ts";
import { raisesPush, subjectOf } from "../../../core/subject.ts";
import { tombstoneKey } from "../../rows/tombstones.ts";
import { NO_CONTACT } from "../../rows/rows.ts";
import { lastOfEach, type Raise } from "../rows/raise.ts";
import { type ArrayOf, arrayOf } from "../../../postgres/arrays.ts";
import type { About } from "./standing.ts";

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

export interface Statement {
  text: string;
  values: Buffer[];
}

/** One statement; null where there is nothing to write. */
export function writingStatement(writing: Writing): Statement | null {
  const { events, ended } = writing;
  const saved = writing.invites.filter(({ change }) => change === "saved");
  const kept = writing.invites.filter(({ change }) => change === "kept");
  const raises = lastOfEach(writing.raises);
  const counts = Object.entries(writing.counts).filter(([, n]) => n > 0);
  if ([saved, kept, events, raises, ended, counts].every(({ length }) => length === 0)) return null;
  return calling("jc.write_intake", [
    ["bigint", saved.map(({ id }) => id)],
    ["boolean", saved.map(({ isNew }) => isNew)],
    ...invitesGiven(saved),
    ["bigint", kept.map(({ id }) => id)],
    ["text", kept.map(({ invite }) => JSON.stringify(invite))],
    ["bigint", events.map(({ seq }) => seq)],
    ...eventsGiven(events),
    ...raisesGiven(raises),
    ...restGiven(ended, counts),
  ]);
}

/**
 * The same, on the guess that nothing of `about` is there yet, and that `destinations` are those of its orgs: where that does not
 * hold it writes nothing, and `is_written` is false. All numbers stand for those that the database will give, 1 for the first.
 */
export function guessingStatement(
  writing: Writing,
  about: About,
  destinations: readonly { mark: string }[],
): Statement {
  const { invites, events, ended } = writing;
  const raises = lastOfEach(writing.raises);
  const counts = Object.entries(writing.counts).filter(([, n]) => n > 0);
  return calling("jc.append_new", [
    ["bigint", invites.map(({ id }) => id)],
    ["bytea", invites.map(({ invite }) => tombstoneKey(invite.org, invite.invitationId))],
    ...invitesGiven(invites),
    ...eventsGiven(events),
    ...raisesGiven(raises),
    ...restGiven(ended, counts),
    ["text", [...new Set(about.orgs)]],
    ["text", destinations.map(({ mark }) => mark)],
    ["text", about.candidates.map(({ org }) => org)],
    ["text", about.candidates.map(({ vendor }) => vendor)],
    ["text", about.candidates.map(({ candidateId }) => candidateId)],
  ]);
}

type Column = [ArrayOf, Parameters<typeof arrayOf>[1]];

function calling(name: string, columns: readonly Column[]): Statement {
  const given = columns.map(([of], index) => `$${index + 1}::${of}[]`).join(", ");
  return {
    text: `SELECT ${name}(${given}) AS is_written`,
    values: columns.map(([of, elements]) => arrayOf(of, elements)),
  };
}

function invitesGiven(some: readonly InviteInHand[]): Column[] {
  return [
    ["text", some.map(({ invite }) => invite.org)],
    ["text", some.map(({ invite }) => invite.invitationId)],
    ["text", some.map(({ contact }) => contact)],
    ["text", some.map(({ invite }) => subjectOf("assessment", invite))],
    ["text", some.map(({ invite }) => invite.status)],
    ["bigint", some.map(({ invite }) => invite.at)],
    [
      "integer",
      some.map(({ contact, invite }) =>
        Number(contact !== NO_CONTACT && raisesPush("contact", invite, { pushedBefore: false })),
      ),
    ],
    ["bigint", some.map(({ version }) => version)],
    ["text", some.map(({ invite }) => JSON.stringify(invite))],
  ];
}

function eventsGiven(some: readonly StoredEvent[]): Column[] {
  return [
    ["text", some.map(({ event }) => event.source)],
    ["text", some.map(({ event }) => event.eventId)],
    ["bytea", some.map(({ event }) => Buffer.from(event.bodyHash, "hex"))],
    ["text", some.map(({ event }) => event.type)],
    ["bigint", some.map(({ event }) => event.at)],
    ["bigint", some.map(({ event }) => event.receivedAt)],
    ["integer", some.map(({ conflict }) => Number(conflict))],
    ["bigint", some.map(({ inviteId }) => inviteId)],
    ["text", some.map(({ event }) => event.payload)],
  ];
}

function raisesGiven(some: Writing["raises"]): Column[] {
  return [
    ["bigint", some.map(({ connectionId }) => connectionId)],
    ["text", some.map(({ subject }) => subject)],
    ["text", some.map(({ holdCause }) => holdCause)],
    ["bigint", some.map(({ version }) => version)],
    ["bigint", some.map(({ now }) => now)],
  ];
}

function restGiven(ended: Writing["ended"], counts: readonly [string, number][]): Column[] {
  return [
    ["text", ended.map(({ assessment }) => assessment)],
    ["bigint", ended.map(({ now }) => now)],
    ["text", counts.map(([name]) => name)],
    ["bigint", counts.map(([, n]) => n)],
  ];
}
