import type { Selection } from "../../contract/rerun.ts";
import { named } from "../server/named.ts";
import { scopeOfConnections } from "../rows/scope.ts";
import { SLICE } from "../server/slices.ts";
import type { Db, Sql } from "../../../postgres/sql.ts";
import { waitingOf } from "./selected.ts";

interface Waiting {
  id: number;
  since: number;
}

interface Slice {
  runId: number;
  selection: Selection;
  after: Waiting;
  limit: number;
}

/** Makes pushes that wait already a part of a run, up to `limit`. Returns how many. */
export async function adopt(db: Db, runId: number, selection: Selection, limit: number): Promise<number> {
  const { connectionId } = "pushes" in selection ? selection.pushes : selection.unpushed;
  const scope = await scopeOfConnections(db.read, [connectionId]);
  let total = 0;
  let after: Waiting = { id: 0, since: Number.MIN_SAFE_INTEGER };
  for (;;) {
    const most = Math.min(SLICE, limit - total);
    const slice: Slice = { runId, selection, after, limit: most };
    const { rows, adopted } = await db.write(scope, (tx) => adoptSlice(tx, slice));
    total += adopted;
    const last = rows.at(-1);
    if (last === undefined || rows.length < most) return total;
    after = last;
  }
}

async function adoptSlice(
  tx: Sql,
  { runId, selection, after, limit }: Slice,
): Promise<{ rows: Waiting[]; adopted: number }> {
  const { from, values } = await waitingOf(tx, selection);
  // In the order of an index, and first the rest of the same moment: as one range, all of it would be walked over.
  const read = (range: string, most: number) =>
    tx.all<Waiting>(
      ...named(
        `SELECT p.id, p.pending_since AS since ${from} AND ${range} ORDER BY p.pending_since, p.id LIMIT @limit`,
        { ...values, afterSince: after.since, afterId: after.id, limit: most },
      ),
    );
  const rest = await read("p.pending_since = @afterSince AND p.id > @afterId", limit);
  const rows = [...rest, ...(await read("p.pending_since > @afterSince", limit - rest.length))];
  const adopted = await tx.run(
    "UPDATE jc.pushes SET run_id = $1 WHERE id = ANY ($2::bigint[]) AND state = 'pending'",
    [runId, rows.map(({ id }) => id)],
  );
  return { rows, adopted };
}
