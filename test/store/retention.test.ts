import { statSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { openLog } from "../../src/store/sqlite/file/open.ts";
import { RULES } from "../../src/store/sqlite/retention/rules.ts";
import { NOON } from "../core/example.ts";
import { temporaryDirectory } from "../directory.ts";
import { purgeAll } from "./contract/retention.ts";
import { anAttempt, DELIVERED } from "./contract/delivering.ts";
import {
  aConfirmation,
  anEvent,
  anUnknownEvent,
  candidate,
  completedFor,
  connect,
  MINUTE,
} from "./events.ts";
import { claimsOf } from "./looks.ts";
import { openDirect, opened, openThreaded } from "./world.ts";

test("every table has its rule, and every rule its table", () => {
  const db = openLog(temporaryDirectory(), { now: NOON });
  onTestFinished(() => void db.close());
  const tables = db
    .prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .pluck()
    .all();
  expect(Object.keys(RULES).toSorted()).toEqual(tables.toSorted());
});

test("what is forgotten is given back to the file system, and no other process takes that for a foreign hand", async () => {
  const stateDir = temporaryDirectory();
  const sizeOf = () => statSync(join(stateDir, "log.db")).size;
  const serving = await opened(openThreaded, stateDir);
  await serving.append(completedFor(...Array.from({ length: 3_000 }, (_, n) => `n${n}`)));
  const beside = await opened(openDirect, stateDir);
  await beside.append(completedFor("ann"));
  const before = sizeOf();
  expect(await purgeAll(beside)).toMatchObject({ invites: 3_001 });
  // Its commits make SQLite write the -wal into the log, and cut that.
  for (let n = 0; n < 60; n++)
    await serving.append(completedFor(...Array.from({ length: 20 }, (_, m) => `b${n}-${m}`)));
  await beside.append(completedFor("bob"));
  expect(sizeOf()).toBeLessThan(before);
  expect(serving.faults()).toEqual([]);
  expect((await serving.append(completedFor("cat")))[0]?.outcome).toBe("stored");
});

test("what one address of a contact was told is kept for as long as another one of that contact has invites", async () => {
  const stateDir = temporaryDirectory();
  const store = await opened(openDirect, stateDir);
  const { id } = await connect(store);
  const [ann, bob] = [newsOf("ann", NOON), newsOf("bob", NOON + 80 * DAY)];
  for (const event of [ann, bob]) {
    await store.append([event]);
    const claims = await claimsOf(store, { connectionId: id, limit: 10, now: event.at });
    const attempt = anAttempt("delivered");
    await store.settle(claims.map((claim) => ({ claim, now: event.at, outcome: DELIVERED, attempt })));
  }
  const beside = new Database(join(stateDir, "log.db"));
  beside.exec("UPDATE pushes SET record = '7'");
  const rows = () => beside.prepare("SELECT count(*) FROM forgotten").pluck().get();
  expect(await purgeAll(store, { now: NOON + 91 * DAY })).toMatchObject({ invites: 1, pushes: 0 });
  const [subject] = (await store.subjects({ connectionId: id, limit: 10 })).subjects;
  expect(subject).toMatchObject({ subject: "bob@example.com", forgotten: { heads: [{ madeAt: NOON }] } });
  expect(await purgeAll(store, { now: NOON + 171 * DAY })).toMatchObject({ invites: 1, pushes: 2 });
  expect(rows()).toBe(0);
  beside.close();
});

test("a year under constant load leaves the file as large as its first months made it", async () => {
  const stateDir = temporaryDirectory();
  const store = await opened(openDirect, stateDir);
  const { id } = await connect(store);
  const beside = new Database(join(stateDir, "log.db"), { readonly: true });
  onTestFinished(() => void beside.close());
  const pages = new Map<number, number>();
  for (let day = 0; day <= 365; day++) {
    const at = NOON + day * DAY;
    const news = Array.from({ length: PEOPLE_A_DAY }, (_, n) => newsOf(`${day}-${n}`, at));
    await store.append([...news, aConfirmation(`evt_${day}`, { at }), anUnknownEvent(`renamed_${day}`, at)]);
    const claims = await claimsOf(store, { connectionId: id, limit: 100, now: at });
    const attempt = anAttempt("delivered");
    await store.settle(claims.map((claim) => ({ claim, now: at, outcome: DELIVERED, attempt })));
    await purgeAll(store, { now: at });
    pages.set(day, Number(beside.pragma("page_count", { simple: true })));
  }
  const [first = 0, last = 0] = [pages.get(100), pages.get(365)];
  expect(first).toBeGreaterThan(1.5 * (pages.get(45) ?? 0));
  expect(last).toBeLessThan(1.1 * first);
  expect((await store.overview("acme", NOON)).invites).toBe(91 * PEOPLE_A_DAY);
});

const DAY = 24 * 60 * MINUTE;
const PEOPLE_A_DAY = 15;

function newsOf(name: string, at: number) {
  const invitationId = `inv_${name}`;
  const note = "as long as a real one is".repeat(40);
  return anEvent("completed", { invitationId, at, note, candidate: candidate(`${name}@example.com`) });
}
