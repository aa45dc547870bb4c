import type { Fault } from "../emulated.ts";
import { describe, expect, test } from "vitest";
import { isDegraded } from "../../src/core/delivery/outage-record.ts";
import { HUBSPOT } from "../store/events.ts";
import { MINUTE, openStage, people, SECOND, START, type Stage } from "./stage.ts";
import { attemptsOf } from "../store/looks.ts";

const TICK = 5 * MINUTE;
const FIRST_TICK = Date.UTC(2026, 10, 22, 12, 5);
/** From 07:01 in New York, and ten seconds more, as clocks differ. */
const PAST_MIDNIGHT = 17 * 3_600 - 60 + 10;
const SIX_TRIES = [0, 1, 3, 7, 15, 31];

/** How long after the start each call was made, in whole seconds. */
function secondsOf({ calls }: Stage): number[] {
  return calls.map(({ at }) => Math.round((at - START) / SECOND));
}

/** The contacts asked with while the vendor was degraded, by the tick. */
function probesByTick({ calls }: Stage): Map<number, string[]> {
  const byTick = new Map<number, string[]>();
  for (const { at, contacts } of calls.filter((call) => call.at >= FIRST_TICK)) {
    const tick = Math.floor(at / TICK) * TICK;
    byTick.set(tick, [...(byTick.get(tick) ?? []), ...contacts]);
  }
  return byTick;
}

async function allDelivered(stage: Stage, n: number, withinMs?: number): Promise<void> {
  await stage.until("all is delivered", async () => (await stage.counts()).delivered === n, withinMs);
  expect((await stage.contacts()).size).toBe(n);
  expect(await stage.counts()).toMatchObject({ pending: 0, rejected: 0, held: 0 });
}

describe("a vendor that is down", () => {
  test("is tried six times with growing delays, then once a tick with one contact", async () => {
    const stage = await openStage();
    await stage.fault({ status: 503 });
    await stage.complete(...people(20));
    await stage.start();
    await stage.pass(20 * MINUTE);
    expect(secondsOf(stage).slice(0, 6)).toEqual(SIX_TRIES);
    expect(stage.calls[0]?.contacts).toHaveLength(20);
    expect(stage.calls.slice(6).map(({ at }) => at)).toEqual(
      [0, 1, 2, 3].map((tick) => FIRST_TICK + tick * TICK),
    );
    const probes = stage.calls.slice(1).map(({ contacts }) => contacts);
    expect(probes.every((contacts) => contacts.length === 1)).toBe(true);
    expect(new Set(probes.flat()).size).toBe(probes.length);
    expect(isDegraded((await stage.connection()).outage)).toBe(true);
    expect(await stage.counts()).toMatchObject({ pending: 20, rejected: 0, stuck: 0 });
  });

  test("is asked once a tick by all processes together, whoever of them is restarted", async () => {
    const stage = await openStage();
    await stage.fault({ status: 500 });
    await stage.complete(...people(30));
    let [first, second] = [await stage.start(), await stage.start()];
    await stage.until("the first tick", () => stage.clock.now() >= FIRST_TICK, TICK);
    for (let ticks = 0; ticks < 6; ticks += 1) {
      await stage.pass(TICK);
      await stage.through(first.stop());
      [first, second] = [second, await stage.start()];
      await stage.complete(`late${ticks}@example.org`);
    }
    const byTick = [...probesByTick(stage).values()];
    expect(byTick.length).toBeGreaterThanOrEqual(6);
    expect(byTick.every((contacts) => contacts.length === 1)).toBe(true);
    expect(new Set(byTick.flat()).size).toBe(byTick.length);
  });

  test("is noted by all processes together: none counts anew, nor shortens another's rest", async () => {
    const stage = await openStage();
    await stage.fault({ delayMs: 60 * MINUTE });
    await stage.complete(...people(5));
    const { store } = await stage.start();
    await stage.pass(SECOND);
    const noted = { failures: 6, since: START - MINUTE, restUntil: START + 10 * MINUTE, suspect: null };
    await store.saveConnection(HUBSPOT, { outage: noted });
    await stage.pass(MINUTE);
    expect(stage.calls.map(({ status, endedAt }) => [status, endedAt !== null])).toEqual([[null, true]]);
    expect((await stage.connection()).outage).toMatchObject(noted);
    await stage.pass(10 * MINUTE);
    expect((await stage.connection()).outage).toMatchObject({ failures: 7, since: noted.since });
  });

  test("gets all that waits at once when it is back, behind the one that asked", async () => {
    const stage = await openStage();
    await stage.fault({ status: 502 });
    await stage.complete(...people(250));
    await stage.start();
    await stage.pass(12 * MINUTE);
    await stage.clearFaults();
    const before = stage.calls.length;
    await allDelivered(stage, 250, TICK);
    const [probe, ...rest] = stage.calls.slice(before);
    expect(probe?.contacts).toHaveLength(1);
    expect(rest.map(({ contacts }) => contacts.length).sort()).toEqual([100, 100, 49]);
    expect(rest.every(({ at }) => at - (probe?.at ?? 0) < SECOND)).toBe(true);
    expect((await stage.connection()).outage).toBeNull();
  });

  test("for an hour loses nothing, and what came meanwhile arrives with the rest", async () => {
    const stage = await openStage();
    await stage.fault({ drop: true, path: "/crm/v3/objects" });
    await stage.complete(...people(150));
    await stage.start();
    await stage.pass(30 * MINUTE);
    await stage.complete(...people(150, 150));
    await stage.pass(30 * MINUTE);
    expect(await stage.counts()).toMatchObject({ pending: 300, stuck: 150 });
    await stage.clearFaults();
    await allDelivered(stage, 300, TICK);
  });
});

describe("a vendor that refuses every call", () => {
  const GONE = { status: "error", message: "no such path, amy@example.org", category: "OBJECT_NOT_FOUND" };

  test.each([403, 404, 410])(
    "with %i has rejected nobody, and everybody arrives once it does not",
    async (status) => {
      const stage = await openStage();
      await stage.fault({ status, body: GONE });
      await stage.complete(...people(100));
      const { store } = await stage.start();
      await stage.pass(32 * MINUTE);
      expect(await stage.counts()).toMatchObject({ pending: 100, rejected: 0, held: 0, stuck: 100 });
      expect(secondsOf(stage).slice(0, 6)).toEqual(SIX_TRIES);
      expect(stage.calls.slice(1).every(({ contacts }) => contacts.length === 1)).toBe(true);
      expect(stage.calls).toHaveLength(6 + Math.floor((START + 32 * MINUTE - FIRST_TICK) / TICK) + 1);
      const [attempt] = await attemptsOf(store, { org: "acme", outcome: "retry", limit: 1 });
      expect(attempt).toMatchObject({ httpStatus: status, reason: expect.stringContaining("no such path") });
      const { outage } = await stage.connection();
      expect(outage?.reason).toContain(`HubSpot refused the call with ${status}`);
      expect(outage?.reason).toContain("no such path, a…@example.org");

      await stage.clearFaults();
      await allDelivered(stage, 100, TICK);
    },
  );

  test("for two contacts only, with 404, rejects neither and keeps nobody else waiting", async () => {
    const stage = await openStage();
    await stage.complete(...people(300));
    await stage.fault({ status: 404, body: GONE, match: "p00150@" });
    await stage.fault({ status: 404, body: GONE, match: "p00250@" });
    await stage.start();
    await stage.until("the others arrive", async () => (await stage.counts()).delivered >= 298, MINUTE);
    expect(await stage.counts()).toMatchObject({ pending: 2, rejected: 0 });
    await stage.clearFaults();
    await allDelivered(stage, 300, TICK);
  });
});

describe("a call that fails for a reason that may pass", () => {
  const failures: [what: string, fault: Fault][] = [
    ["500", { status: 500 }],
    ["502", { status: 502 }],
    ["503 with a page for people", { status: 503, body: "<html>Be right back</html>" }],
    ["504", { status: 504 }],
    ["a lock (423)", { status: 423 }],
    ["a move between data centers (477)", { status: 477 }],
    ["429 of the rolling window", { status: 429, body: { policyName: "TEN_SECONDLY_ROLLING" } }],
    ["429 of the second", { status: 429, body: { policyName: "SECONDLY" } }],
    ["a page of a proxy for 403", { status: 403, body: "<html>Blocked</html>" }],
    ["400 without a word", { status: 400, body: {} }],
    ["a page of a proxy for 200", { status: 200, body: "<html>Sign in</html>" }],
    ["an empty success", { status: 200, body: { status: "COMPLETE", results: [] } }],
    ["a success without a body", { status: 204, body: "" }],
    ["a connection cut after the work was done", { drop: true }],
  ];
  test.each(failures)("as %s is made again, and every contact arrives once", async (_what, fault) => {
    const stage = await openStage();
    await stage.fault({ ...fault, times: 2 });
    await stage.complete(...people(120));
    await stage.start();
    await allDelivered(stage, 120, MINUTE);
    expect(stage.problems).toEqual([]);
  });

  test("as an answer that does not come in time is made again", async () => {
    const stage = await openStage({ timeoutMs: 2_000 });
    await stage.fault({ delayMs: 60_000, times: 2 });
    await stage.complete(...people(3));
    await stage.start();
    await allDelivered(stage, 3);
    expect(stage.calls.map(({ status }) => status)).toEqual([null, null, 200, 200]);
  });
});

describe("the vendor's own time to come back", () => {
  const at = (seconds: number) => new Date(START + seconds * SECOND).toUTCString();
  const waits: [what: string, fault: Fault, seconds: number][] = [
    ["Retry-After in seconds", { status: 503, headers: { "retry-after": "40" } }, 40],
    ["Retry-After as a date", { status: 503, headers: { "retry-after": at(90) } }, 90],
    ["Retry-After of a year, which is none", { status: 503, headers: { "retry-after": "31536000" } }, 1],
    ["Retry-After in the past, which is none", { status: 503, headers: { "retry-after": at(-60) } }, 1],
    ["no Retry-After", { status: 503 }, 1],
    ["429 of the rolling window", { status: 429, body: { policyName: "TEN_SECONDLY_ROLLING" } }, 10],
    ["429 of the second", { status: 429, body: { policyName: "SECONDLY" } }, 1],
    ["429 that names no window", { status: 429 }, 10],
    ["429 with a longer Retry-After", { status: 429, headers: { "retry-after": "25" } }, 25],
    ["429 of the day, past midnight there", { status: 429, body: { policyName: "DAILY" } }, PAST_MIDNIGHT],
    ["423", { status: 423 }, 2],
    ["477 with a day to go", { status: 477, headers: { "retry-after": "86400" } }, 86_400],
  ];
  test.each(waits)("is kept: %s", async (_what, fault, seconds) => {
    const stage = await openStage();
    await stage.fault({ ...fault, times: 1 });
    await stage.complete(...people(2));
    await stage.start();
    await allDelivered(stage, 2, 25 * 60 * MINUTE);
    expect(secondsOf(stage)).toEqual([0, seconds, seconds]);
  });
});

describe("one contact that fails", () => {
  test("alone in a quiet hour keeps nobody else waiting", async () => {
    const stage = await openStage();
    await stage.fault({ status: 500, match: "poison@" });
    await stage.complete("poison@example.org");
    await stage.start();
    for (const [index, waitMs] of [0, 2 * SECOND, 40 * SECOND, 7 * MINUTE, 40 * MINUTE].entries()) {
      await stage.pass(waitMs);
      await stage.complete(`ann${index}@example.org`);
      await stage.until("ann arrives", async () => (await stage.counts()).delivered === index + 1, SECOND);
    }
    expect(await stage.counts()).toMatchObject({ pending: 1, stuck: 1, rejected: 0 });
  });

  test("alone is tried six times with growing delays, then once a tick", async () => {
    const stage = await openStage();
    await stage.fault({ status: 500 });
    await stage.complete("poison@example.org");
    await stage.start();
    await stage.pass(15 * MINUTE);
    expect(secondsOf(stage).slice(0, 6)).toEqual(SIX_TRIES);
    expect(secondsOf(stage).slice(6)).toEqual(
      [0, 1, 2].map((tick) => (FIRST_TICK - START + tick * TICK) / SECOND),
    );
  });

  test("before an outage tells nothing about its end", async () => {
    const stage = await openStage();
    await stage.fault({ status: 500, match: "poison@" });
    await stage.complete("poison@example.org", ...people(5));
    await stage.start();
    await stage.until("the others arrive", async () => (await stage.counts()).delivered === 5, MINUTE);
    await stage.fault({ status: 503 });
    await stage.complete(...people(5, 5));
    await stage.until("the first tick", () => stage.clock.now() >= FIRST_TICK, TICK);
    const before = stage.calls.length;
    await stage.pass(4 * TICK);
    expect(stage.calls.slice(before).flatMap(({ contacts }) => contacts)).not.toContain("poison@example.org");
    expect([...probesByTick(stage).values()].every(({ length }) => length === 1)).toBe(true);
  });
});
