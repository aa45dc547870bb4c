import { describe, expect, test } from "vitest";
import { countedCall, createSlots } from "../../src/flows/account/rate-window.ts";
import { windowFor } from "../../src/core/delivery/rate-window.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import { createHubspot } from "../../src/vendors/hubspot/hubspot.ts";
import type { Tier } from "../../src/vendors/hubspot/keys.ts";
import { createHttp } from "../../src/shared/http.ts";
import { type FakeClock, fakeClock } from "../fake-clock.ts";
import { MINUTE, mostAtOnce, mostWithin, openStage, people, SECOND, START, type Stage } from "./stage.ts";
import { temporaryDirectory } from "../directory.ts";

const WINDOW = 10 * SECOND;
/** Our window is a little longer than the vendor's. */
const OUR_WINDOW = 10_100;

async function deliverEverything(stage: Stage, n: number): Promise<void> {
  await stage.until("all is delivered", async () => (await stage.counts()).delivered === n, 10 * MINUTE);
}

/** From the first request to the last answer. */
function durationOf({ calls }: Stage): number {
  return Math.max(...calls.map(({ endedAt }) => endedAt ?? Number.NaN)) - (calls[0]?.at ?? Number.NaN);
}

describe("the vendor's window", () => {
  test("is shared by two processes that deliver to one portal: none is refused, and none waits too long", async () => {
    const stage = await openStage({ vendorLimit: "100/10s" });
    await stage.pass(OUR_WINDOW);
    await stage.complete(...people(12_500));
    await Promise.all([stage.start(), stage.start()]);
    await deliverEverything(stage, 12_500);
    expect(stage.calls.filter(({ status }) => status !== 200)).toEqual([]);
    expect(stage.calls).toHaveLength(125);
    expect(mostWithin(WINDOW, stage.calls)).toBe(100);
    expect(durationOf(stage)).toBeLessThanOrEqual(WINDOW * 1.02);
    expect((await stage.contacts()).size).toBe(12_500);
  });

  test("is never overrun where a second process joins in mid-window", async () => {
    const stage = await openStage({ vendorLimit: "100/10s" });
    await stage.pass(OUR_WINDOW);
    await stage.complete(...people(22_000));
    await stage.start();
    await stage.pass(15 * SECOND);
    await stage.start();
    await deliverEverything(stage, 22_000);
    expect(stage.calls.filter(({ status }) => status !== 200)).toEqual([]);
  });

  test("is filled however slowly the vendor answers: each slot waits for its own answer alone", async () => {
    const stage = await openStage({ vendorLimit: "100/10s" });
    await stage.pass(OUR_WINDOW);
    await stage.fault({ delayMs: 2_000, path: "/crm/v3/objects" });
    await stage.complete(...people(12_000));
    await stage.start();
    await deliverEverything(stage, 12_000);
    expect(stage.calls.filter(({ status }) => status !== 200)).toEqual([]);
    expect(mostAtOnce(stage.calls)).toBeGreaterThanOrEqual(20);
    expect(durationOf(stage)).toBeLessThanOrEqual(WINDOW * 1.02 + 2 * 2_000);
  });

  test("is never overrun when answers become faster from one moment to the next", async () => {
    const stage = await openStage({ vendorLimit: "100/10s" });
    await stage.pass(OUR_WINDOW);
    await stage.fault({ delayMs: 2_000, path: "/crm/v3/objects", times: 100 });
    await stage.complete(...people(16_500));
    await stage.start();
    await deliverEverything(stage, 16_500);
    expect(stage.calls.filter(({ status }) => status !== 200)).toEqual([]);
  });

  test("is filled by the batches that are ready, though one asked for earlier has no slot yet", async () => {
    const stage = await openStage({ vendorLimit: "100/10s" });
    await stage.pass(OUR_WINDOW);
    await stage.complete(...people(1_000));
    let asked = 0;
    await stage.start((store) => ({
      ...store,
      claim: async (request) => {
        if (!request.window) return await store.claim(request);
        asked += 1;
        // As for one that asked when the window was full, and sleeps until the next while places are taken in this.
        if (asked === 2) return { claims: [], slot: { at: request.window.now + OUR_WINDOW, id: null } };
        return await store.claim(request);
      },
    }));
    await stage.until(
      "all but perhaps the last",
      async () => (await stage.counts()).delivered >= 900,
      SECOND,
    );
    await deliverEverything(stage, 1_000);
  });

  test("is not filled by a trickle: what comes one by one arrives within a second, all the time", async () => {
    const stage = await openStage({ vendorLimit: "100/10s" });
    await stage.pass(OUR_WINDOW);
    await stage.start();
    const emails = people(600);
    for (const email of emails) {
      await stage.complete(email);
      await stage.pass(50);
    }
    await stage.pass(SECOND);
    const arrivedAt = new Map(
      stage.calls.flatMap(({ contacts, endedAt }) => contacts.map((email) => [email, endedAt] as const)),
    );
    const startedAt = stage.clock.now() - SECOND - emails.length * 50;
    const waits = emails.map((email, index) => (arrivedAt.get(email) ?? Number.NaN) - startedAt - index * 50);
    expect(Math.max(...waits)).toBeLessThan(SECOND);
    expect(stage.calls.every(({ status }) => status === 200)).toBe(true);
  });

  test("that the vendor tells is smaller is kept as soon as it was told", async () => {
    const stage = await openStage();
    await stage.fault({ rateLimit: "10/10s" });
    await stage.complete(...people(5_000));
    await stage.start();
    await deliverEverything(stage, 5_000);
    const refused = stage.calls.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.every(({ at }) => at - START < SECOND)).toBe(true);
    const later = stage.calls.filter(({ at }) => at - START >= SECOND);
    expect(mostWithin(WINDOW, later)).toBe(10);
  });

  test("that the vendor tells is smaller than the tier's is kept from the first answer on", async () => {
    const stage = await openStage({ tier: "paid", vendorLimit: "110/10s" });
    await stage.pass(OUR_WINDOW);
    await stage.complete(...people(24_000));
    await Promise.all([stage.start(), stage.start()]);
    await deliverEverything(stage, 24_000);
    expect(stage.calls.filter(({ status }) => status !== 200)).toEqual([]);
    expect(mostWithin(WINDOW, stage.calls)).toBe(110);
  });

  test("is not held up by one call that hangs: new results go out beside it", async () => {
    const stage = await openStage();
    await stage.fault({ delayMs: 25_000, match: "slow@" });
    await stage.complete("slow@example.org");
    await stage.start();
    await stage.pass(SECOND);
    await stage.complete("quick@example.org");
    await stage.until("the quick one arrives", () => stage.calls[1]?.status === 200, SECOND);
    expect(stage.calls.map(({ contacts, endedAt }) => [contacts, endedAt !== null])).toEqual([
      [["slow@example.org"], false],
      [["quick@example.org"], true],
    ]);
  });
});

describe("a portal's tier", () => {
  /** How many calls may go at once, and when the next one may. */
  async function burst(clock: FakeClock, tier: Tier, told?: number, windowMs = WINDOW) {
    const account = { id: "1", name: "Acme", kind: null, region: null };
    const window = windowFor(hubspotOf(tier, "https://api.hubapi.com"), { account });
    if (!window) throw new Error("this tier has no limit");
    const store = await openSqliteStore({ stateDir: temporaryDirectory(), clock });
    const slots = createSlots({ store, clock }, window);
    const heed = async (calls = told) => {
      if (calls) await slots.heed({ calls, windowMs });
    };
    await heed();
    const [taken, stop] = [new Set<number>(), new AbortController()];
    const waiting = (async () => {
      for (let call = 0; call < 200; call += 1) {
        const counted = await countedCall(slots, stop.signal);
        await counted.ended();
        taken.add(clock.now()).add(call / 1_000);
      }
    })().catch(() => {});
    const takenUntil = async (ms: number) => {
      await clock.advance(ms);
      return [...taken].filter((each) => each < 1).length;
    };
    return {
      takenUntil,
      heed,
      end: async () => {
        stop.abort();
        await waiting;
        await store.close();
      },
    };
  }

  test.each([
    ["free", 100],
    ["paid", 150],
    ["marketplace", 110],
  ] as const)("%s lets %i calls go in ten seconds", async (tier, calls) => {
    const slots = await burst(fakeClock(), tier);
    expect(await slots.takenUntil(WINDOW)).toBe(calls);
    expect(await slots.takenUntil(101)).toBeGreaterThan(calls);
    await slots.end();
  });

  test("is lowered by what the vendor tells, never raised", async () => {
    const lowered = await burst(fakeClock(), "free", 7);
    expect(await lowered.takenUntil(WINDOW)).toBe(7);
    await lowered.end();
    const raised = await burst(fakeClock(), "free", 1_000);
    expect(await raised.takenUntil(WINDOW)).toBe(100);
    await raised.end();
  });

  test.each([1_000, 60_000])("is not lowered by a limit of %i ms", async (windowMs) => {
    const slots = await burst(fakeClock(), "free", 7, windowMs);
    expect(await slots.takenUntil(WINDOW)).toBe(100);
    await slots.end();
  });

  test("is lifted as soon as the vendor tells more again", async () => {
    const slots = await burst(fakeClock(), "free", 7);
    expect(await slots.takenUntil(0)).toBeLessThanOrEqual(7);
    await slots.heed(1_000);
    expect(await slots.takenUntil(2 * WINDOW)).toBeGreaterThanOrEqual(100);
    await slots.end();
  });

  test("stays lowered, however long ago the vendor told so last", async () => {
    const clock = fakeClock();
    const slots = await burst(clock, "paid", 1);
    await clock.advance(30 * MINUTE);
    const before = await slots.takenUntil(0);
    expect((await slots.takenUntil(MINUTE)) - before).toBeLessThanOrEqual(6);
    await slots.end();
  });

  test("none is for an emulator on this machine alone", () => {
    expect(hubspotOf("none", "http://127.0.0.1:8480/hubspot").rateLimit).toBeNull();
    expect(() => hubspotOf("none", "https://api.hubapi.com")).toThrow('the tier "none" is for an emulator');
  });

  function hubspotOf(tier: Tier, apiBase: string) {
    const http = createHttp({ caFile: null, proxy: null });
    return createHubspot(
      {
        apiBase,
        authorizeUrl: `${apiBase}/oauth/authorize`,
        apiVersion: "v3",
        clientId: "app-1",
        pkce: true,
        redirectPort: 8976,
        resultBase: "https://jobcannon.io",
        tier,
      },
      http,
      fakeClock(),
    );
  }
});
