import type { RateWindow } from "../../../core/delivery/rate-window.ts";
import type { Slot } from "../../contract/store.ts";
import type { Db } from "../file/db.ts";
import { transaction } from "../file/transaction.ts";

/**
 * The rolling windows of vendors' rate limits: one row a call, which leaves when its window is over. A slot taken
 * ahead stands at the time to come at which its call may go.
 */
export type TakeCall = (call: RateWindow & { now: number }) => Slot;

/** What is believed for longer was told while the clock was ahead. */
const LONGEST_LIMIT_MS = 3_600_000;

export function createCalls(db: Db) {
  // Rows from a time to come were written before the clock was set back: they would block for as long.
  const forget = db.prepare(
    "DELETE FROM calls WHERE key = @key AND (at <= @now - @windowMs OR at > @now + @windowMs)",
  );
  const count = db.prepare<[string], number>("SELECT count(*) FROM calls WHERE key = ?").pluck();
  const lowered = db
    .prepare<[string, number, number], number>(
      "SELECT calls FROM call_limits WHERE key = ? AND until BETWEEN ? AND ?",
    )
    .pluck();
  const oldest = db
    .prepare<[string, number], number>("SELECT at FROM calls WHERE key = ? ORDER BY at LIMIT 1 OFFSET ?")
    .pluck();
  const newest = db.prepare<[string], number | null>("SELECT max(at) FROM calls WHERE key = ?").pluck();
  const insert = db.prepare("INSERT INTO calls (key, at) VALUES (?, ?)");
  const limit = db.prepare(`
    INSERT INTO call_limits (key, calls, until) VALUES (@key, @calls, @until)
    ON CONFLICT (key) DO UPDATE SET calls = excluded.calls, until = excluded.until`);
  const lift = db.prepare("DELETE FROM call_limits WHERE key = ?");

  const takeCall = transaction(db, (call: RateWindow & { now: number }): Slot => {
    forget.run(call);
    const most = Math.max(
      1,
      Math.min(call.calls, lowered.get(call.key, call.now + 1, call.now + LONGEST_LIMIT_MS) ?? call.calls),
    );
    const taken = count.get(call.key) ?? 0;
    // Where slots were taken ahead, or the limit was lowered, more than the oldest must leave before.
    const leaving = taken < most ? undefined : oldest.get(call.key, taken - most);
    const free = leaving === undefined ? call.now : leaving + call.windowMs;
    // Where the clock was set back, the newest may stand in a time to come.
    const spaced = Math.min((newest.get(call.key) ?? 0) + call.gapMs, call.now + call.calls * call.gapMs);
    const at = Math.max(free, spaced);
    const isTaken = at <= call.now + call.aheadMs;
    if (isTaken) insert.run(call.key, at);
    return { at, isTaken };
  });
  return {
    takeCall,
    limitCalls: transaction(db, (told: { key: string; calls: number | null; until: number }): void => {
      if (told.calls === null) lift.run(told.key);
      else limit.run(told);
    }),
  };
}
