import { ageOf, isNewer } from "../../../core/fold.ts";
import type { Db } from "../file/db.ts";
import { transaction } from "../file/transaction.ts";
import { inviteOf } from "../rows/rows.ts";
import { createTombstones } from "../rows/tombstones.ts";
import { createRemoveInvite, type RemovedInvite } from "./remove-invite.ts";

const INVITES = 500;

/**
 * Removes the invites that have a tombstone and are no newer than that, as in a backup that was made before they were
 * removed. Returns how many.
 */
export function buryInvites(db: Db): number {
  const tombstones = createTombstones(db);
  if (!tombstones.any()) return 0;
  const page = db.prepare<[number], RemovedInvite>(
    `SELECT id, contact, state FROM invites WHERE id > ? ORDER BY id LIMIT ${INVITES}`,
  );
  const remove = createRemoveInvite(db);
  const buryPage = transaction(db, (rows: readonly RemovedInvite[]): number => {
    const buried = rows.filter(({ state }) => {
      const invite = inviteOf(state);
      const last = tombstones.find(invite.org, invite.invitationId);
      return last !== null && !isNewer(ageOf(invite), last.age);
    });
    // One with very many events takes several goes.
    for (const row of buried) while (!remove(row).isGone);
    return buried.length;
  });
  let total = 0;
  for (let rows = page.all(0); rows.length > 0; rows = page.all(rows.at(-1)?.id ?? 0))
    total += buryPage(rows);
  return total;
}
