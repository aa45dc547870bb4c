import { ageOf, isNewer } from "../../../core/fold.ts";
import type { Db } from "../file/db.ts";
import { transaction } from "../file/transaction.ts";
import { inviteOf } from "../../rows/rows.ts";
import { createTombstones } from "../rows/tombstones.ts";
import { createRemoveInvite, type RemovedInvite } from "./remove-invite.ts";

const INVITES = 500;

/**
 * Removes the invites that have a tombstone and are no newer than that, as in a backup that was made before they were
 * removed. Returns how many.
 */
export function buryInvites(db: Db): number {
  const remove = createRemoveInvite(db);
  const buryPage = transaction(db, (rows: readonly RemovedInvite[]): void => {
    // One with very many events takes several goes.
    for (const row of rows) while (!remove(row).isGone);
  });
  let total = 0;
  for (const rows of buriedIn(db, db)) {
    buryPage(rows);
    total += rows.length;
  }
  return total;
}

/** How many of a log's invites the tombstones of another one would remove. */
export function countBuried(db: Db, other: Db): number {
  let total = 0;
  for (const rows of buriedIn(db, other)) total += rows.length;
  return total;
}

/** A log's invites that have a tombstone in `graves` and are no newer than that, page by page. */
function* buriedIn(db: Db, graves: Db): Generator<RemovedInvite[]> {
  const tombstones = createTombstones(graves);
  if (!tombstones.any()) return;
  const page = db.prepare<[number], RemovedInvite>(
    `SELECT id, contact, state FROM invites WHERE id > ? ORDER BY id LIMIT ${INVITES}`,
  );
  for (let rows = page.all(0); rows.length > 0; rows = page.all(rows.at(-1)?.id ?? 0))
    yield rows.filter(({ state }) => {
      const invite = inviteOf(state);
      const last = tombstones.find(invite.org, invite.invitationId);
      return last !== null && !isNewer(ageOf(invite), last.age);
    });
}
