import { describe, expect, test } from "vitest";
import { createGiveWay, FAR_AHEAD } from "../../src/flows/rerun/give-way.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import { fakeClock } from "../fake-clock.ts";
import { anAttempt, DELIVERED } from "../store/contract/delivering.ts";
import { connect } from "../store/events.ts";
import { opened } from "../store/world.ts";
import { people } from "./stage.ts";
import { claimsOf } from "../store/looks.ts";

describe("whoever queues", () => {
  async function queued(n: number) {
    const clock = fakeClock();
    const store = await opened((stateDir) => openSqliteStore({ stateDir, clock }));
    const connection = await connect(store);
    await store.raise(connection.id, { subjects: people(n) }, clock.now());
    const giveWay = createGiveWay({ store, clock }, connection);
    const deliver = async (limit = 1) => {
      const claims = await claimsOf(store, { connectionId: connection.id, limit, now: clock.now() });
      const attempt = anAttempt("delivered");
      await store.settle(claims.map((claim) => ({ claim, now: clock.now(), outcome: DELIVERED, attempt })));
    };
    /** Before the next page: has it to wait now? */
    const page = (signal = new AbortController().signal) => {
      const waiting = { isOver: false, over: giveWay(signal) };
      waiting.over.then(
        () => {
          waiting.isOver = true;
        },
        () => {},
      );
      return waiting;
    };
    return { clock, deliver, page };
  }

  test("waits while results go out and enough are queued, and goes on when nothing moves any more", async () => {
    const { clock, deliver, page } = await queued(FAR_AHEAD + 10);
    await page().over;
    await deliver();
    const next = page();
    for (let looks = 0; looks < 3; looks += 1) {
      await clock.advance(10);
      await deliver();
      await clock.advance(15);
      expect(next.isOver).toBe(false);
    }
    await clock.advance(200);
    expect(next.isOver).toBe(true);
  });

  test("waits for nobody where nobody delivers, or where delivery is close behind", async () => {
    const { clock, deliver, page } = await queued(FAR_AHEAD + 10);
    await page().over;
    await page().over;
    await deliver(100);
    const next = page();
    await clock.advance(0);
    expect(next.isOver).toBe(true);
  });

  test("stops waiting with the signal's reason", async () => {
    const { clock, deliver, page } = await queued(FAR_AHEAD + 10);
    await page().over;
    await deliver();
    const stop = new AbortController();
    const next = page(stop.signal);
    await clock.advance(10);
    stop.abort(new Error("enough"));
    await expect(next.over).rejects.toThrow("enough");
  });
});
