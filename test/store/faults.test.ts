/** What a store with a thread of its own finds to be wrong with its file, while it lives on it. */
import { closeSync, openSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { findDamage } from "../../src/store/sqlite/file/damage.ts";
import { NOON } from "../core/example.ts";
import { leastOf, msOf } from "../least.ts";
import { until } from "../world.ts";
import { children } from "./child.ts";
import { anEvent, candidate, connect } from "./events.ts";
import { openThreaded, opened } from "./world.ts";
import { temporaryDirectory } from "../directory.ts";

const start = children();
const MB = 1024 * 1024;
const PAGE_BYTES = 4096;

const numbered = (from: number, length: number) =>
  Array.from({ length }, (_, n) => {
    const id = from + n;
    return anEvent("completed", {
      invitationId: `inv_${id}`,
      eventId: `evt_${id}`,
      candidate: candidate(`c${id}@example.com`),
    });
  });

describe("a -wal that a forgotten reader holds up", () => {
  test("is told with its size and the reader's pid, and is small again once the reader is gone", async () => {
    const stateDir = temporaryDirectory();
    const store = await opened(openThreaded, stateDir);
    await connect(store);
    const walMb = () => statSync(join(stateDir, "log.db-wal")).size / MB;
    const reader = start("reader", [stateDir]);
    expect(await reader.next()).toBe("reads");
    for (let n = 0; walMb() < 70; n += 1) await store.append(numbered(n * 500, 500));
    const fault = await until("it is told", () => store.faults().find(({ kind }) => kind === "held-up"));
    expect(fault.message).toMatch(
      new RegExp(`log\\.db-wal has grown to \\d+ MB: it is read by process ${reader.process.pid} \\(.+\\)$`),
    );
    expect(fault).toMatchObject({
      refuses: false,
      hint: expect.stringContaining(`kill ${reader.process.pid}`),
    });
    expect((await store.append(numbered(1_000_000, 1)))[0]?.outcome).toBe("stored");
    await reader.kill();
    await until("it is small again", () => walMb() < 8);
    await until("it is told no more", () => store.faults().length === 0);
  });
});

describe("damage in the log", () => {
  const filled = async (events: number) => {
    const stateDir = temporaryDirectory();
    const store = await openThreaded(stateDir);
    await connect(store);
    await store.append(numbered(0, events));
    await store.close();
    return { stateDir, path: join(stateDir, "log.db") };
  };
  /** Pages of a table or an index, leaves first. */
  const pagesOf = (path: string, name: string) => {
    const db = new Database(path, { readonly: true });
    const pages = db
      .prepare<[string], number>("SELECT pageno FROM dbstat WHERE name = ? ORDER BY pagetype DESC, pageno")
      .pluck()
      .all(name);
    db.close();
    return pages;
  };
  const spoil = (path: string, page: number) => {
    const file = openSync(path, "r+");
    writeSync(file, Buffer.alloc(PAGE_BYTES, 0xa5), 0, PAGE_BYTES, (page - 1) * PAGE_BYTES);
    closeSync(file);
  };
  const tablesDamagedIn = (path: string) => [...findDamage(path)].flatMap((damage) => damage?.table ?? []);

  test("is none in a log that is whole, small or large", async () => {
    for (const events of [10, 12_000]) expect(tablesDamagedIn((await filled(events)).path)).toEqual([]);
  });

  test.each([
    ["a row's page of a small table", 50, "events", "events"],
    ["an index of a small table", 50, "events_identity", "events"],
    ["the only page of a table without rowids", 50, "counters", "counters"],
    ["a row's page of a large table", 12_000, "events", "events"],
    ["a page of a large table's index", 12_000, "invites_of_contact", "invites"],
    ["a page of a large table's partial index", 12_000, "pushes_waiting", "pushes"],
    ["an empty table", 50, "attempts", "attempts"],
  ])("is found in %s", async (_, events, name, table) => {
    const { path } = await filled(events);
    const pages = pagesOf(path, name);
    spoil(path, pages[Math.floor(pages.length / 2)] ?? 0);
    expect(tablesDamagedIn(path)).toContain(table);
  });

  test.each([
    ["events", true],
    ["attempts", false],
  ])("in %s is found soon after the start, and refuses events: %s", async (table, refuses) => {
    const { stateDir, path } = await filled(50);
    spoil(path, pagesOf(path, table)[0] ?? 0);
    const store = await opened(openThreaded, stateDir);
    const fault = await until("it is found", () => store.faults()[0]);
    expect(fault).toMatchObject({
      kind: "damaged",
      refuses,
      message: expect.stringContaining(`is damaged, table ${table}: `),
    });
    const appended = store.append(numbered(100, 1)).then(([result]) => result?.outcome);
    if (refuses) await expect(appended).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    else expect(await appended).toBe("stored");
  });

  test("is looked for in short reads: nobody who writes meanwhile waits for it, and the -wal stays short", async () => {
    const { path, stateDir } = await filled(15_000);
    const store = await opened(openThreaded, stateDir);
    let from = 100_000;
    const longestMs = async () => {
      const search = findDamage(path);
      let longest = 0;
      for (let isDone = false, n = 0; !isDone; n += 1) {
        const tookMs = await msOf(async () => {
          isDone = search.next().done ?? false;
        });
        longest = Math.max(longest, tookMs);
        from += 10;
        if (n % 10 === 0) await store.append(numbered(from, 10));
      }
      return longest;
    };
    expect(await leastOf(500, longestMs)).toBeLessThan(500);
    expect(statSync(join(stateDir, "log.db-wal")).size).toBeLessThan(16 * MB);
    expect((await store.overview("acme", NOON)).events.total).toBeGreaterThan(15_000);
  });
});

describe("a log that another process keeps locked", () => {
  test("refuses an event within three seconds, however much waits, and takes it once it is free", async () => {
    expect(await leastOf(3_000, longestRefusalMs)).toBeLessThan(3_000);
  });
});

/** Of three events that come while another process has the lock, and 50 claims wait. */
async function longestRefusalMs(): Promise<number> {
  const stateDir = temporaryDirectory();
  const store = await opened(openThreaded, stateDir);
  const { id } = await connect(store);
  const locker = start("locker", [stateDir]);
  expect(await locker.next()).toBe("locked");
  const claims = Array.from({ length: 50 }, () => store.claim({ connectionId: id, limit: 1, now: NOON }));
  const refusals: number[] = [];
  for (let n = 0; n < 3; n += 1) {
    const refused = expect(store.append(numbered(n, 1))).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringContaining("is locked by another process"),
    });
    refusals.push(await msOf(() => refused));
  }
  expect((await store.overview("acme", NOON)).events.total).toBe(0);
  locker.process.stdin?.write("let go\n");
  expect(await locker.next()).toBe("free");
  // What may wait repeats, and is done when the log is free.
  expect((await Promise.all(claims)).flatMap((each) => each.claims)).toEqual([]);
  expect((await store.append(numbered(9, 1)))[0]?.outcome).toBe("stored");
  return Math.max(...refusals);
}
