import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import type { Store } from "../../src/store/contract/store.ts";
import { NOON } from "../core/example.ts";
import { type Child, children } from "./child.ts";
import { leastOf } from "../least.ts";
import { claimedSubjects } from "./contract/delivering.ts";
import { completedFor, connect } from "./events.ts";
import { openDirect, opened, openThreaded } from "./world.ts";
import { dist } from "../built.ts";
import { temporaryDirectory } from "../directory.ts";

const start = children();
/** After which a store looks less often whether others wrote. */
const QUIET_MS = 3_500;
const LATENESS_EVERY_MS = 5;
const THREAD = fileURLToPath(new URL("store-thread.js", dist()));
/** On a disk, where there is one: waiting for it is what these tests are about. */
const onDisk = () => temporaryDirectory(tmpdir());

describe("several processes on one log", () => {
  test("store every event once and claim every push once, and none is kept waiting by a busy service", async () => {
    const waited = await leastOf(1_000, longestWaitMs);
    console.log(`longest wait of a writer beside a busy service: ${Math.round(waited)} ms`);
    expect(waited).toBeLessThan(1_000);
  });

  const longestWaitMs = async () => {
    const stateDir = onDisk();
    const batches = 30;
    const service = start("appender", [stateDir, THREAD, "service"]);
    await service.next();
    const workers = ["a", "b", "c", "d"].map((name) => start("worker", [stateDir, name, String(batches)]));
    const reports = (await Promise.all(workers.map((worker) => worker.rest()))).flat().map(reportOf);
    await service.kill();

    const db = new Database(join(stateDir, "log.db"));
    const count = (sql: string) => db.prepare(sql).pluck().get();
    expect(count("SELECT count(*) FROM events WHERE event_id LIKE 'inv_%'")).toBe(4 * batches * 5);
    expect(count("SELECT count(*) FROM events WHERE event_id LIKE 'shared-%'")).toBe(batches);
    const open = "SELECT count(*) FROM pushes WHERE state <> 'delivered' AND subject <> 'ann@example.com'";
    expect(count(open)).toBe(0);
    db.close();
    const claimed = reports.flatMap((report) => report.claimed);
    expect(claimed).toHaveLength(4 * batches * 5);
    expect(new Set(claimed).size).toBe(claimed.length);
    return Math.max(...reports.map((report) => report.longestMs));
  };

  test("may all be the first to open it", async () => {
    const stateDir = join(onDisk(), "state");
    const first = Array.from({ length: 6 }, () => start("writer", [stateDir]));
    expect(await Promise.all(first.map((child) => child.next()))).toEqual(first.map(() => "ready"));
  });

  test("get at once what a killed one had claimed, learn that it is due, and take over its sweep", async () => {
    const stateDir = temporaryDirectory();
    const store = await opened(openDirect, stateDir);
    const { id } = await connect(store);
    await store.append(completedFor("ann", "bob", "cat"));
    const claimer = start("claimer", [stateDir, String(id)]);
    expect(await claimer.next()).toHaveLength(3);
    expect(await store.dueWork(NOON)).toEqual([]);
    expect(await claimedSubjects(store, id, NOON + 10)).toEqual([]);
    const sweep = { job: "sweep", dueAt: NOON, now: NOON + 10, once: true };
    expect(await store.beginTick(sweep)).toBe("later");
    await claimer.kill();
    expect(await store.beginTick(sweep)).toBe("ours");
    expect(await store.dueWork(NOON)).toEqual([{ connectionId: id, dueAt: NOON, connectedAt: null }]);
    expect(await claimedSubjects(store, id, NOON + 10)).toHaveLength(3);
  });

  test("have the slots of a killed one's calls one window after it is gone", async () => {
    const stateDir = temporaryDirectory();
    const store = await opened(openDirect, stateDir);
    const window = { key: "hubspot/4711", calls: 2, windowMs: 10_000, aheadMs: 100 };
    const caller = start("caller", [stateDir, JSON.stringify({ ...window, now: NOON })]);
    expect(await caller.next()).toBe("taken");
    const ask = (now: number) => store.takeCall({ ...window, now });
    expect(await ask(NOON + 25_000)).toEqual({ at: NOON + 35_000, id: null });
    expect(await ask(NOON + 35_000)).toEqual({ at: NOON + 45_000, id: null });
    await caller.kill();
    expect(await ask(NOON + 36_000)).toEqual({ at: NOON + 46_000, id: null });
    expect(await ask(NOON + 46_000)).toEqual({ at: NOON + 46_000, id: expect.any(Number) });
  });

  test("count a service until it ends, however it ends", async () => {
    const stateDir = temporaryDirectory();
    const store = await opened(openDirect, stateDir);
    const service = start("claimer", [stateDir, "1"]);
    await service.next();
    expect(await store.runningServices()).toHaveLength(1);
    await service.kill();
    expect(await store.runningServices()).toHaveLength(0);
  });

  test.each([
    ["direct", openDirect],
    ["threaded", openThreaded],
  ])("see each other's work within 250 ms, through a %s store", async (_, open) => {
    const stateDir = temporaryDirectory();
    const store = await opened(open, stateDir);
    const writer = start("writer", [stateDir]);
    await writer.next();
    const delaysMs: number[] = [];
    for (let round = 0; round < 9; round += 1) delaysMs.push(await untilSeenMs(store, writer, round));
    // Two of them the machine itself may have held up.
    expect(delaysMs.toSorted((a, b) => a - b)[6]).toBeLessThanOrEqual(250);
  });

  test("see each other's work within 250 ms, also where nobody had written for a while", async () => {
    const stateDir = temporaryDirectory();
    const store = await opened(openThreaded, stateDir);
    const writer = start("writer", [stateDir]);
    await writer.next();
    let round = 0;
    const delayMs = async () => {
      await sleep(QUIET_MS);
      round += 1;
      return await untilSeenMs(store, writer, round);
    };
    for (let n = 0; n < 2; n += 1) expect(await leastOf(250, delayMs)).toBeLessThanOrEqual(250);
  });
});

describe("a process killed while it appends", () => {
  test("has every event in the log that it acknowledged, 20 times", async () => {
    const stateDir = onDisk();
    const acknowledged: unknown[] = [];
    for (let round = 0; round < 20; round += 1) {
      const appender = start("appender", [stateDir, THREAD, `round-${round}`]);
      acknowledged.push(await appender.next());
      setTimeout(() => appender.process.kill("SIGKILL"), Math.random() * 150);
      acknowledged.push(...(await untilKilled(appender)));
    }
    const store = await opened(openDirect, stateDir);
    const db = new Database(join(stateDir, "log.db"), { readonly: true });
    const kept = new Set(db.prepare("SELECT event_id FROM events").pluck().all());
    const integrity = db.pragma("integrity_check", { simple: true });
    db.close();
    expect(acknowledged.filter((eventId) => !kept.has(eventId))).toEqual([]);
    expect(acknowledged.length).toBeGreaterThan(20);
    expect((await store.overview("acme", NOON)).events.total).toBe(kept.size);
    expect(integrity).toBe("ok");
  });
});

/** From a commit until the store calls back, less what the machine itself is late by at that time. */
async function untilSeenMs(store: Store, writer: Child, round: number): Promise<number> {
  const lateness = monitorEventLoopDelay({ resolution: LATENESS_EVERY_MS });
  lateness.enable();
  const change = nextChange(store);
  writer.process.stdin?.write(`evt_${round}\n`);
  const [seenAt, committedAt] = await Promise.all([change, writer.next()]);
  lateness.disable();
  const lateMs = Number.isFinite(lateness.max) ? lateness.max / 1e6 - LATENESS_EVERY_MS : 0;
  return seenAt - Number(committedAt) - lateMs;
}

/** When the store next calls back. */
function nextChange(store: Store): Promise<number> {
  return new Promise((resolve) => {
    const stop = store.watch(() => {
      stop();
      resolve(Date.now());
    });
  });
}

/** All that a child says before it is killed; a last word that was cut off counts as not said. */
async function untilKilled(child: Child): Promise<unknown[]> {
  const said: unknown[] = [];
  try {
    for (;;) said.push(await child.next());
  } catch {
    return said;
  }
}

function reportOf(said: unknown): { claimed: unknown[]; longestMs: number } {
  if (typeof said !== "object" || said === null || !("claimed" in said && "longestMs" in said))
    throw new Error(`a worker said ${JSON.stringify(said)}`);
  const { claimed, longestMs } = said;
  if (!Array.isArray(claimed) || typeof longestMs !== "number") throw new Error("a worker said nonsense");
  return { claimed, longestMs };
}
