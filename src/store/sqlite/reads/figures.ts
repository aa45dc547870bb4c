import type { Figures, FiguresQuery } from "../../contract/store.ts";
import type { Db } from "../file/db.ts";
import type { Sliced } from "../file/slices.ts";

/** Windows looked into in one go: with full ones some 5 ms. */
const LOOKED_INTO = 200;

/** What triggers have counted, and what stands first in an index. */
export function createFigures(db: Db) {
  const pushes = db.prepare<[], Figures["pushes"][number]>(
    "SELECT connection_id AS connectionId, state, n FROM push_counts WHERE n > 0 AND state <> 'never' ORDER BY connection_id, state",
  );
  const oldestPending = db.prepare<[], Figures["oldestPending"][number]>(`
    SELECT connectionId, since FROM (
      SELECT id AS connectionId, (SELECT min(pending_since) FROM pushes
        WHERE connection_id = connections.id AND state = 'pending') AS since
      FROM connections)
    WHERE since IS NOT NULL ORDER BY connectionId`);
  const callsIn = db
    .prepare<object, number>(
      "SELECT count(*) FROM calls WHERE key = @key AND (holder IS NOT NULL OR since BETWEEN @now - @windowMs AND @now)",
    )
    .pluck();
  return function* ({ now, windows }: FiguresQuery): Sliced<Figures> {
    const figures: Figures = { pushes: pushes.all(), oldestPending: oldestPending.all(), calls: [] };
    for (const [index, { key, windowMs }] of windows.entries()) {
      if (index % LOOKED_INTO === LOOKED_INTO - 1) yield;
      figures.calls.push(callsIn.get({ key, windowMs, now }) ?? 0);
    }
    return figures;
  };
}
