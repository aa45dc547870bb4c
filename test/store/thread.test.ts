import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { openThreadedStore } from "../../src/store/sqlite/threaded.ts";
import { NOON } from "../core/example.ts";
import { anAttempt, DELIVERED } from "./contract/delivering.ts";
import { anEvent, anUnstorableEvent, candidate, completedFor, connect, MINUTE } from "./events.ts";
import { openThreaded, opened } from "./world.ts";
import { claimsOf } from "./looks.ts";
import { temporaryDirectory } from "../directory.ts";

const numbered = (n: number) => anEvent("completed", { invitationId: `inv_${n}`, eventId: `evt_${n}` });
const many = (length: number) => Array.from({ length }, (_, n) => numbered(n));

describe("the store's thread", () => {
  test("stores many appends that wait in few transactions, in the order they came", async () => {
    const stateDir = temporaryDirectory();
    const store = await opened(openThreaded, stateDir);
    const before = transactionsIn(stateDir);
    const events = many(300);
    await Promise.all(events.map((event) => store.append([event])));
    expect(transactionsIn(stateDir) - before).toBeLessThan(30);
    expect(storedIn(stateDir)).toEqual(events.map(({ eventId }) => eventId));
  });

  test("answers each append with its own results", async () => {
    const store = await opened(openThreaded);
    const sizes = [3, 1, 700, 0, 2];
    const answers = await Promise.all(
      sizes.map((size, n) =>
        store.append(
          Array.from({ length: size }, (_, k) => anEvent("completed", { eventId: `${n % 2}-${k}` })),
        ),
      ),
    );
    expect(answers.map((results) => results.length)).toEqual(sizes);
    expect(answers.map((results) => results.filter(({ outcome }) => outcome === "stored").length)).toEqual([
      3, 1, 697, 0, 0,
    ]);
  });

  test("lets what deliveries write at the same time share a commit", async () => {
    const stateDir = temporaryDirectory();
    const store = await opened(openThreaded, stateDir);
    const { id } = await connect(store);
    await store.append(completedFor("ann", "bob", "cat", "dan"));
    const now = NOON + MINUTE;
    const [claim] = await claimsOf(store, { connectionId: id, limit: 1, now });
    if (!claim) throw new Error("nothing is due");
    const before = transactionsIn(stateDir);
    const [, claims, more, ...places] = await Promise.all([
      store.settle([{ claim, now, outcome: DELIVERED }]),
      claimsOf(store, { connectionId: id, limit: 2, now }),
      claimsOf(store, { connectionId: id, limit: 2, now }),
      ...Array.from({ length: 40 }, () =>
        store.takeCall({ key: "hubspot/1", calls: 30, windowMs: 1_000, aheadMs: 0, now }),
      ),
    ]);
    expect(transactionsIn(stateDir) - before).toBeLessThan(20);
    expect(places.filter(({ id }) => id !== null)).toHaveLength(30);
    expect([claims.length, more.length]).toEqual([2, 1]);
    expect((await store.overview("acme", now)).connections[0]?.pushes).toMatchObject({
      pending: 3,
      delivered: 1,
    });
  });

  test("lets what cannot be settled fail alone among what shares its commit", async () => {
    const store = await opened(openThreaded);
    const { id } = await connect(store);
    await store.append(completedFor("ann", "bob", "cat", "dan"));
    const now = NOON + MINUTE;
    const [claim, other] = await claimsOf(store, { connectionId: id, limit: 2, now });
    if (!claim || !other) throw new Error("too little is due");
    const attempt = { ...anAttempt("delivered"), durationMs: Number.NaN };
    const [settled, failed, claimed] = await Promise.allSettled([
      store.settle([{ claim, now, outcome: DELIVERED }]),
      store.settle([{ claim: other, now, outcome: DELIVERED, attempt }]),
      claimsOf(store, { connectionId: id, limit: 10, now }),
    ]);
    expect([settled.status, failed.status]).toEqual(["fulfilled", "rejected"]);
    expect(claimed.status === "fulfilled" && claimed.value.length).toBe(2);
    expect((await store.overview("acme", now)).connections[0]?.pushes).toMatchObject({
      pending: 3,
      delivered: 1,
    });
    await store.settle([{ claim: other, now, outcome: DELIVERED }]);
    expect((await store.overview("acme", now)).connections[0]?.pushes).toMatchObject({ delivered: 2 });
  });

  test("lets a bad event fail alone among those that wait with it", async () => {
    const stateDir = temporaryDirectory();
    const store = await opened(openThreaded, stateDir);
    const events = many(50).map((event, n) => (n % 10 === 3 ? anUnstorableEvent(`bad-${n}`) : event));
    const results = await Promise.all(events.map((event) => store.append([event])));
    expect(results.map(([result]) => result?.outcome)).toEqual(
      events.map(({ eventId }) => (eventId.startsWith("bad") ? "failed" : "stored")),
    );
    expect(storedIn(stateDir)).toHaveLength(45);
  });

  test("takes events between the slices of work over many rows", async () => {
    const stateDir = temporaryDirectory();
    const store = await opened(openThreaded, stateDir);
    const { id } = await connect(store);
    await store.append(
      Array.from({ length: 6_000 }, (_, n) =>
        anEvent("completed", {
          invitationId: `inv_${n}`,
          eventId: `evt_${n}`,
          candidate: candidate(`c${n}@example.com`),
        }),
      ),
    );
    const ends: string[] = [];
    const held = store.hold(id, { cause: "reconnect" }).then(() => ends.push("held"));
    const taken = store.append([numbered(9_999)]).then(() => ends.push("taken"));
    await Promise.all([held, taken]);
    expect(ends).toEqual(["taken", "held"]);
  });

  test("ends what is under way before it closes", async () => {
    const stateDir = temporaryDirectory();
    const store = await openThreaded(stateDir);
    const { id } = await connect(store);
    const subjects = Array.from({ length: 3_000 }, (_, n) => `c${n}@example.com`);
    const raised = store.raise(id, { subjects: subjects }, NOON);
    await store.close();
    expect(await raised).toBe(3_000);
  });

  test("refuses at once what it would have to keep waiting too long, and takes it later", async () => {
    const store = await opened(openThreaded);
    const first = store.append(many(15_000));
    await expect(store.append(many(6_000))).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(await first).toHaveLength(15_000);
    expect((await store.append(many(6_000)))[0]?.outcome).toBe("known");
  });

  test("stores what still waits when it is closed, and then refuses", async () => {
    const stateDir = temporaryDirectory();
    const store = await openThreaded(stateDir);
    const waiting = many(100).map((event) => store.append([event]));
    await store.close();
    expect((await Promise.all(waiting)).flat()).toHaveLength(100);
    expect(storedIn(stateDir)).toHaveLength(100);
    await expect(store.overview("acme", NOON)).rejects.toThrow("the store is closed");
    await store.close();
  });

  test("says so when it cannot even start", async () => {
    const threadUrl = pathToFileURL(join(temporaryDirectory(), "missing.js"));
    const opening = openThreadedStore({ stateDir: temporaryDirectory(), threadUrl });
    await expect(opening).rejects.toThrow("missing.js");
  });
});

function storedIn(stateDir: string): unknown[] {
  const db = new Database(join(stateDir, "log.db"), { readonly: true });
  const stored = db.prepare("SELECT event_id FROM events ORDER BY seq").pluck().all();
  db.close();
  return stored;
}

/** Counts the commits in the write-ahead log: each ends with a frame that names the file's new size (sqlite.org/fileformat2.html#wal_file_format). */
function transactionsIn(stateDir: string): number {
  const wal = readFileSync(join(stateDir, "log.db-wal"));
  const [HEADER, FRAME_HEADER] = [32, 24];
  const frame = FRAME_HEADER + wal.readUInt32BE(8);
  let commits = 0;
  for (let at = HEADER; at + frame <= wal.length; at += frame) if (wal.readUInt32BE(at + 4) > 0) commits += 1;
  return commits;
}
