import { MAX_TRIES } from "../../../core/delivery/retry.ts";
import { type HeldCause, STUCK_AFTER_MS, type StuckCounts } from "../../../core/push.ts";
import type { Db } from "../file/db.ts";
import type { Sliced } from "../file/slices.ts";

/** Rows looked at in one go, some 5 ms. */
const LOOKED_AT = 10_000;

/** What of a connection is undelivered for too long, by what stands in its way. */
export function createStuck(db: Db): {
  stuckOf(connectionId: number, now: number): Sliced<StuckCounts>;
  /** Held for that cause, since whenever. */
  heldFor(connectionId: number, cause: HeldCause): Sliced<number>;
} {
  const pendingSince = db
    .prepare<[number, number], number>(
      "SELECT count(*) FROM pushes WHERE connection_id = ? AND state = 'pending' AND pending_since < ?",
    )
    .pluck();
  const oldestPending = db.prepare<[number, number], { quarantined: number | null; failing: number | null }>(`
    SELECT sum(alone) AS quarantined, sum(alone = 0 AND tries >= ${MAX_TRIES}) AS failing FROM (
      SELECT alone, tries FROM pushes WHERE connection_id = ? AND state = 'pending' AND pending_since < ?
      ORDER BY pending_since LIMIT ${LOOKED_AT})`);
  const heldSlice = db.prepare<object, { last: number | null; n: number | null }>(`
    SELECT max(id) AS last, sum(pending_since < @before) AS n FROM (
      SELECT id, pending_since FROM pushes
      WHERE connection_id = @connectionId AND state = 'held' AND held_cause = @cause AND id > @after
      ORDER BY id LIMIT ${LOOKED_AT})`);
  function* heldSince(connectionId: number, cause: HeldCause, before: number): Sliced<number> {
    let total = 0;
    let after = 0;
    for (;;) {
      const slice = heldSlice.get({ connectionId, cause, before, after });
      if (!slice || slice.last === null) return total;
      total += slice.n ?? 0;
      after = slice.last;
      yield;
    }
  }
  const stuckOf = function* (connectionId: number, now: number): Sliced<StuckCounts> {
    const before = now - STUCK_AFTER_MS;
    const pending = pendingSince.get(connectionId, before) ?? 0;
    const oldest = oldestPending.get(connectionId, before);
    const [quarantined, failing] = [oldest?.quarantined ?? 0, oldest?.failing ?? 0];
    return {
      waiting: pending - quarantined - failing,
      failing,
      quarantined,
      property: yield* heldSince(connectionId, "property", before),
      scope: yield* heldSince(connectionId, "scope", before),
      candidate: yield* heldSince(connectionId, "candidate", before),
    };
  };
  return {
    stuckOf,
    heldFor: (connectionId, cause) => heldSince(connectionId, cause, Number.MAX_SAFE_INTEGER),
  };
}
