import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { openLog } from "../../src/store/sqlite/file/open.ts";
import { createHolds } from "../../src/store/sqlite/delivery/holds.ts";
import { finished, SLICE } from "../../src/store/sqlite/file/slices.ts";
import { NOON } from "../core/example.ts";
import { completedFor, connect } from "./events.ts";
import { opened, openDirect } from "./world.ts";
import { temporaryDirectory } from "../directory.ts";

test("a release for a readable vault that is cut off between two slices is still known to be unfinished", async () => {
  const stateDir = temporaryDirectory();
  const store = await opened(openDirect, stateDir);
  const { id } = await connect(store);
  await store.append(completedFor(...Array.from({ length: SLICE + 1 }, (_, index) => `n${index}`)));
  const vaultTrouble = { since: NOON, reason: "locked", fix: null };
  await store.hold(id, { cause: "vault", connectedAt: null, changes: { vaultTrouble } });
  const held = async () => (await store.overview("acme", NOON)).connections[0]?.pushes.held;

  const db = openLog(stateDir, { now: NOON });
  createHolds(db)
    .release(id, { held: ["vault"] }, NOON)
    .next();
  db.close();
  expect(await held()).toBe(1);
  expect(await store.connections()).toMatchObject([{ vaultTrouble }]);

  await store.release(id, { held: ["vault"] }, NOON);
  expect(await held()).toBe(0);
  expect(await store.connections()).toMatchObject([{ vaultTrouble: null }]);
});

test("a release that is locked out between two slices goes on where it was, and counts all that it released", async () => {
  const stateDir = temporaryDirectory();
  const store = await opened(openDirect, stateDir);
  const { id } = await connect(store);
  await store.append(completedFor(...Array.from({ length: SLICE + 1 }, (_, index) => `n${index}`)));
  await store.hold(id, { cause: "scope" });

  const db = openLog(stateDir, { now: NOON, longestWaitMs: 0 });
  const other = new Database(join(stateDir, "log.db"));
  const work = createHolds(db).release(id, { held: ["scope"] }, NOON);
  expect(work.next()).toEqual({ done: false, value: undefined });
  other.exec("BEGIN IMMEDIATE");
  for (let look = 0; look < 3; look += 1)
    expect(work.next()).toMatchObject({ done: false, value: { code: "SQLITE_BUSY" } });
  other.exec("COMMIT");
  expect(finished(work)).toBe(SLICE + 1);
  other.close();
  db.close();
});
