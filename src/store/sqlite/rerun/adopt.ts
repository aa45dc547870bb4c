import type { Selection } from "../../contract/store.ts";
import type { Db } from "../file/db.ts";
import { SLICE, type Sliced, unlocked } from "../file/slices.ts";
import { transaction } from "../file/transaction.ts";
import { createSelected } from "./selected.ts";

/** Makes pushes that wait already a part of a run, up to `limit`. Returns how many. */
export function createAdopt(db: Db) {
  const { waitingOf } = createSelected(db);
  const join = db.prepare("UPDATE pushes SET run_id = @runId WHERE id = @id AND state = 'pending'");
  const joinAll = transaction(db, (runId: number, ids: readonly number[]): number =>
    ids.reduce((total, id) => total + join.run({ runId, id }).changes, 0),
  );

  return function* (runId: number, selection: Selection, limit: number): Sliced<number> {
    const { from, values } = waitingOf(selection);
    // In the order of an index, and first the rest of the same moment: as one range, SQLite would walk over all of it.
    const sliceOf = (range: string) =>
      db.prepare<object, { id: number; since: number }>(
        `SELECT p.id, p.pending_since AS since ${from} AND ${range} ORDER BY p.pending_since, p.id LIMIT @limit`,
      );
    const sameMoment = sliceOf("p.pending_since = @afterSince AND p.id > @afterId");
    const later = sliceOf("p.pending_since > @afterSince");
    let total = 0;
    let last = { id: 0, since: Number.MIN_SAFE_INTEGER };
    for (;;) {
      const most = Math.min(SLICE, limit - total);
      const after = { ...values, afterSince: last.since, afterId: last.id };
      const rest = sameMoment.all({ ...after, limit: most });
      const rows = [...rest, ...later.all({ ...after, limit: most - rest.length })];
      const ids = rows.map(({ id }) => id);
      total += yield* unlocked(() => joinAll(runId, ids));
      if (rows.length === 0 || rows.length < most) return total;
      last = rows.at(-1) ?? last;
      yield;
    }
  };
}
