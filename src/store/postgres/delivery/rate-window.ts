import { type CountedSlot, type RateWindow, takeSlot } from "../../../core/delivery/rate-window.ts";
import type { DeliveryVerbs, Slot } from "../../contract/store.ts";
import type { Db, Self, SharedTime, Sql } from "../../../postgres/sql.ts";
import type { UnheardSlots } from "./unheard-slots.ts";

interface CallSlot extends CountedSlot {
  id: number;
}

/**
 * The rolling windows of vendors' rate limits: one row a call, from its slot's taking until one window after its answer.
 * What is free when, `core/delivery` decides; a slot without an answer names the process that holds it.
 */
export function createCalls(
  db: Db,
  self: Self,
  { time, unheard }: { time: SharedTime; unheard: UnheardSlots },
): Pick<DeliveryVerbs, "takeCall" | "endCall" | "limitCalls"> {
  return {
    takeCall: (call) =>
      unheard.during(call.key, (taken) =>
        db.write({ keys: [call.key] }, async (tx) => {
          await unheard.free(tx, call.key);
          const calls = await readCalls(tx, call.key, self);
          return taken(await takeCallIn(tx, call, { self, time, calls }));
        }),
      ),
    endCall: (slotId, answeredAt) =>
      db.write({}, async (tx) => {
        await tx.run("UPDATE jc.calls SET since = $1, holder = NULL WHERE id = $2", [
          answeredAt + time.ahead(),
          slotId,
        ]);
      }),
    limitCalls: ({ key, calls }) =>
      db.write({ keys: [key] }, async (tx) => {
        if (calls === null) await tx.run("DELETE FROM jc.call_limits WHERE key = $1", [key]);
        else
          await tx.run(
            "INSERT INTO jc.call_limits VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET calls = excluded.calls",
            [key, calls],
          );
      }),
  };
}

/** A window's calls, and the number that the vendor lowered it to. */
export interface Calls {
  rows: (CallSlot & { isLost: boolean })[];
  lowered: number | null;
}

/** Within a transaction that holds the window's key. */
export async function readCalls(tx: Sql, key: string, self: Self): Promise<Calls> {
  const [rows, lowered] = await Promise.all([
    tx.all<CallSlot & { isLost: boolean }>(
      `SELECT id, since, holder IS NOT NULL AS "isOpen",
        holder IS NOT NULL AND holder <> $2 AND holder NOT IN (SELECT * FROM jc.live_holders()) AS "isLost"
        FROM jc.calls WHERE key = $1 ORDER BY id`,
      [key, self()],
    ),
    tx.get<{ calls: number }>("SELECT calls FROM jc.call_limits WHERE key = $1", [key]),
  ]);
  return { rows, lowered: lowered?.calls ?? null };
}

interface Taking {
  self: Self;
  time: SharedTime;
  calls: Calls;
}

/** In the same transaction. */
export async function takeCallIn(
  tx: Sql,
  call: RateWindow & { now: number },
  { self, time, calls }: Taking,
): Promise<Slot> {
  const ahead = time.ahead();
  const slot = await takeShared(
    tx,
    { ...call, now: call.now + ahead, windowMs: call.windowMs + time.slackMs },
    { self, calls },
  );
  return { ...slot, at: slot.at - ahead };
}

/** By the database's time. */
async function takeShared(
  tx: Sql,
  { key, now, ...window }: RateWindow & { now: number },
  { self, calls: { rows, lowered } }: Omit<Taking, "time">,
): Promise<Slot> {
  // A call whose process has died came to the vendor by now.
  const lost = rows.filter(({ isLost }) => isLost).map(({ id }) => id);
  const slots = rows.map(
    ({ id, since, isOpen, isLost }): CallSlot =>
      isLost ? { id, since: now, isOpen: false } : { id, since, isOpen },
  );
  const calls = Math.min(window.calls, lowered ?? window.calls);
  const { at, isTaken, kept } = takeSlot(slots, { ...window, calls }, now);
  const stays = new Map(kept.map((slot) => [slot.id, slot]));
  const gone = slots.filter(({ id }) => !stays.has(id)).map(({ id }) => id);
  const moved = slots.flatMap(({ id, since }) => {
    const left = stays.get(id);
    return left && left.since !== since ? [left] : [];
  });
  const [row] = await Promise.all([
    isTaken
      ? tx.get<{ id: number }>("INSERT INTO jc.calls (key, since, holder) VALUES ($1, $2, $3) RETURNING id", [
          key,
          at,
          self(),
        ])
      : undefined,
    lost.length > 0 &&
      tx.run("UPDATE jc.calls SET since = $1, holder = NULL WHERE id = ANY ($2::bigint[])", [now, lost]),
    gone.length > 0 && tx.run("DELETE FROM jc.calls WHERE id = ANY ($1::bigint[])", [gone]),
    moved.length > 0 &&
      tx.run(
        "UPDATE jc.calls c SET since = n.since FROM unnest($1::bigint[], $2::bigint[]) AS n (id, since) WHERE c.id = n.id",
        [moved.map(({ id }) => id), moved.map(({ since }) => since)],
      ),
  ]);
  return { at, id: row?.id ?? null };
}
