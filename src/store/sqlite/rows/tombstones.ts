import { createHash } from "node:crypto";
import { ageOf, type SnapshotAge } from "../../../core/fold.ts";
import type { Invite } from "../../../core/invite.ts";
import type { Db } from "../file/db.ts";

/**
 * What stays of an invite that was removed: how new its last snapshot was, by the hash of its id. It keeps an old event
 * that comes again from making the invite anew.
 */
export interface Tombstone {
  age: SnapshotAge;
  /** Of its oldest snapshot, ms. */
  earliestAt: number;
}

/** Of a body's hash; they stay for ever, so they are small. */
const BODY_BYTES = 8;

/** The first half of a SHA-256. */
export function tombstoneKey(org: string, invitationId: string): Buffer {
  return createHash("sha256").update(`${org}\0${invitationId}`).digest().subarray(0, 16);
}

export function createTombstones(db: Db) {
  const any = db.prepare<[], number>("SELECT 1 FROM tombstones LIMIT 1").pluck();
  const find = db.prepare<[Buffer], TombstoneRow>("SELECT * FROM tombstones WHERE invite = ?");
  const keep = db.prepare(`
    INSERT INTO tombstones (invite, at, completed, status, body, earliest_at)
    VALUES (@invite, @at, @completed, @rank, @body, @earliestAt)
    ON CONFLICT DO UPDATE SET at = excluded.at, completed = excluded.completed, status = excluded.status,
      body = excluded.body, earliest_at = excluded.earliest_at`);
  return {
    any: (): boolean => any.get() !== undefined,
    find: (org: string, invitationId: string): Tombstone | null => {
      const row = find.get(tombstoneKey(org, invitationId));
      return row ? tombstoneOf(row) : null;
    },
    /** Part of a write transaction. */
    keep: (invite: Invite): void => {
      const { org, invitationId, earliestAt } = invite;
      const { bodyHash, ...age } = ageOf(invite);
      const key = tombstoneKey(org, invitationId);
      const body = Buffer.from(bodyHash, "hex").subarray(0, BODY_BYTES);
      keep.run({ invite: key, ...age, body, earliestAt });
    },
  };
}

interface TombstoneRow {
  invite: Buffer;
  at: number;
  completed: number;
  status: number;
  body: Buffer;
  earliest_at: number;
}

function tombstoneOf({ at, completed, status, body, earliest_at: earliestAt }: TombstoneRow): Tombstone {
  return { age: { at, completed, rank: status, bodyHash: body.toString("hex") }, earliestAt };
}
