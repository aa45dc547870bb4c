import { expect, test } from "vitest";
import { openLog } from "../../src/store/sqlite/file/open.ts";
import { createHolds } from "../../src/store/sqlite/delivery/holds.ts";
import { SLICE } from "../../src/store/sqlite/file/slices.ts";
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
