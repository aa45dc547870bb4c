import type { Invite } from "../../../core/invite.ts";
import {
  type Tombstone,
  type TombstoneRow,
  tombstoneKey,
  tombstoneOf,
  tombstoneRowOf,
} from "../../rows/tombstones.ts";
import type { Db } from "../file/db.ts";

export function createTombstones(db: Db) {
  const any = db.prepare<[], number>("SELECT 1 FROM tombstones LIMIT 1").pluck();
  const find = db.prepare<[Buffer], TombstoneRow>("SELECT * FROM tombstones WHERE invite = ?");
  const keep = db.prepare(`
    INSERT INTO tombstones (invite, at, completed, status, body, earliest_at)
    VALUES (@invite, @at, @completed, @status, @body, @earliest_at)
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
      keep.run(tombstoneRowOf(invite));
    },
  };
}
