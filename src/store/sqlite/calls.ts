import type { RateWindow } from "../contract.ts";
import type { Db } from "./file.ts";
import { transaction } from "./transaction.ts";

/** The rolling windows of vendors' rate limits: one row a call, which leaves when its window is over. */
export type TakeCall = (call: RateWindow & { now: number }) => number | null;

export function createCalls(db: Db) {
  // Rows from a time to come were written before the clock was set back: they would block for as long.
  const forget = db.prepare(
    "DELETE FROM calls WHERE key = @key AND (at <= @now - @windowMs OR at > @now + @windowMs)",
  );
  const count = db.prepare<[string], number>("SELECT count(*) FROM calls WHERE key = ?").pluck();
  const lowered = db
    .prepare<[string, number], number>("SELECT calls FROM call_limits WHERE key = ? AND until > ?")
    .pluck();
  const oldest = db
    .prepare<[string, number], number>("SELECT at FROM calls WHERE key = ? ORDER BY at LIMIT 1 OFFSET ?")
    .pluck();
  const insert = db.prepare("INSERT INTO calls (key, at) VALUES (@key, @now)");
  const limit = db.prepare(`
    INSERT INTO call_limits (key, calls, until) VALUES (@key, @calls, @until)
    ON CONFLICT (key) DO UPDATE SET calls = excluded.calls, until = excluded.until`);

  const takeCall = transaction(db, (call: RateWindow & { now: number }): number | null => {
    forget.run(call);
    const most = Math.max(1, Math.min(call.calls, lowered.get(call.key, call.now) ?? call.calls));
    const taken = count.get(call.key) ?? 0;
    if (taken < most) {
      insert.run(call);
      return null;
    }
    return (oldest.get(call.key, taken - most) ?? call.now) + call.windowMs;
  });
  return {
    takeCall,
    limitCalls: transaction(db, (told: { key: string; calls: number; until: number }): void => {
      limit.run(told);
    }),
  };
}
