import { createHash } from "node:crypto";
import { ageOf, type SnapshotAge } from "../../core/fold.ts";
import type { Invite } from "../../core/invite.ts";

/**
 * What stays of an invite that was removed: how new its last snapshot was, by the hash of its id. It keeps an old event
 * that comes again from making the invite anew.
 */
export interface Tombstone {
  age: SnapshotAge;
  /** Of its oldest snapshot, ms. */
  earliestAt: number;
}

export interface TombstoneRow {
  invite: Buffer;
  at: number;
  completed: number;
  status: number;
  body: Buffer;
  earliest_at: number;
}

/** Of a body's hash; they stay for ever, so they are small. */
const BODY_BYTES = 8;

/** The first half of a SHA-256. */
export function tombstoneKey(org: string, invitationId: string): Buffer {
  return createHash("sha256").update(`${org}\0${invitationId}`).digest().subarray(0, 16);
}

export function tombstoneOf({
  at,
  completed,
  status,
  body,
  earliest_at: earliestAt,
}: Omit<TombstoneRow, "invite">): Tombstone {
  return { age: { at, completed, rank: status, bodyHash: body.toString("hex") }, earliestAt };
}

export function tombstoneRowOf(invite: Invite): TombstoneRow {
  const { org, invitationId, earliestAt } = invite;
  const { bodyHash, rank, at, completed } = ageOf(invite);
  const body = Buffer.from(bodyHash, "hex").subarray(0, BODY_BYTES);
  return {
    invite: tombstoneKey(org, invitationId),
    at,
    completed,
    status: rank,
    body,
    earliest_at: earliestAt,
  };
}
