import { type CountedSlot, type RateWindow, takeSlot } from "../../../core/delivery/rate-window.ts";
import { isRunning, type ProcessIdentity } from "../../../shared/process-identity.ts";
import type { Slot } from "../../contract/store.ts";
import type { Db } from "../file/db.ts";
import { transaction } from "../file/transaction.ts";

/**
 * The rolling windows of vendors' rate limits: one row a call, from its slot's taking until one window after its answer.
 * What is free when, `core/delivery` decides; a slot without an answer names the process that holds it.
 */
export type TakeCall = (call: RateWindow & { now: number }) => Slot;

interface CallSlot extends CountedSlot {
  id: number;
}

export function createCalls(db: Db, self: ProcessIdentity) {
  const ours = JSON.stringify(self);
  const all = db.prepare<[string], CallRow>("SELECT id, since, holder FROM calls WHERE key = ?");
  const lowered = db.prepare<[string], number>("SELECT calls FROM call_limits WHERE key = ?").pluck();
  const insert = db.prepare("INSERT INTO calls (key, since, holder) VALUES (?, ?, ?)");
  const forget = db.prepare("DELETE FROM calls WHERE id = ?");
  const end = db.prepare("UPDATE calls SET since = ?, holder = NULL WHERE id = ?");
  const move = db.prepare("UPDATE calls SET since = ? WHERE id = ?");
  const limit = db.prepare(`
    INSERT INTO call_limits (key, calls) VALUES (@key, @calls)
    ON CONFLICT (key) DO UPDATE SET calls = excluded.calls`);
  const lift = db.prepare("DELETE FROM call_limits WHERE key = ?");

  /** A call whose process has died came to the vendor by now. */
  const endLost = (rows: readonly CallRow[], now: number): CallSlot[] => {
    const holders = new Map<string | null, boolean>([[ours, true]]);
    const lives = (holder: string): boolean => {
      const verdict = holders.get(holder) ?? isRunning(JSON.parse(holder));
      holders.set(holder, verdict);
      return verdict;
    };
    return rows.map(({ id, since, holder }) => {
      if (holder === null || lives(holder)) return { id, since, isOpen: holder !== null };
      end.run(now, id);
      return { id, since: now, isOpen: false };
    });
  };

  const takeCall = transaction(db, ({ key, now, ...window }: RateWindow & { now: number }): Slot => {
    const slots = endLost(all.all(key), now);
    const calls = Math.min(window.calls, lowered.get(key) ?? window.calls);
    const { at, isTaken, kept } = takeSlot(slots, { ...window, calls }, now);
    const stays = new Map(kept.map((slot) => [slot.id, slot]));
    for (const slot of slots) {
      const left = stays.get(slot.id);
      if (!left) forget.run(slot.id);
      else if (left.since !== slot.since) move.run(left.since, slot.id);
    }
    return { at, id: isTaken ? Number(insert.run(key, at, ours).lastInsertRowid) : null };
  });
  return {
    takeCall,
    endCall: transaction(db, (id: number, answeredAt: number): void => {
      end.run(answeredAt, id);
    }),
    limitCalls: transaction(db, (told: { key: string; calls: number | null }): void => {
      if (told.calls === null) lift.run(told.key);
      else limit.run(told);
    }),
  };
}

interface CallRow {
  id: number;
  since: number;
  /** Null once it was answered. */
  holder: string | null;
}
