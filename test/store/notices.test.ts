/** What the system tells of the log's files, and that a log is watched where it tells nothing. */
import { appendFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { noticesOf, type LogPart, type Notices } from "../../src/store/sqlite/file/notices.ts";
import { watchOthers } from "../../src/store/sqlite/file/watch.ts";
import { temporaryDirectory } from "../directory.ts";
import { until } from "../world.ts";

test("whatever is done to the log's files is told, with its part, and nothing of other files", async () => {
  const log = join(temporaryDirectory(), "log.db");
  for (const part of ["", "-wal", "-shm"]) writeFileSync(log + part, "");
  const notices = noticesOf(log);
  onTestFinished(notices.stop);
  const told: LogPart[] = [];
  notices.listen((part) => told.push(part));
  const isToldAfter = async (act: () => void) => {
    told.length = 0;
    act();
    await until("it is told", () => told.length > 0);
    return told[0];
  };
  writeFileSync(`${log}.other`, "x");
  expect(await isToldAfter(() => appendFileSync(`${log}-wal`, "x"))).toBe("-wal");
  expect(notices.isWorking()).toBe(true);
  expect(await isToldAfter(() => rmSync(`${log}-shm`))).toBe("-shm");
  expect(await isToldAfter(() => renameSync(log, `${log}.moved`))).toBe("");
  expect(await isToldAfter(() => writeFileSync(log, "another"))).toBe("");
});

test("of a file that lies beside the log is told that something was changed, and of the log's own is not", async () => {
  const log = join(temporaryDirectory(), "log.db");
  for (const part of ["", "-wal", "-shm"]) writeFileSync(log + part, "");
  const notices = noticesOf(log);
  onTestFinished(notices.stop);
  let [ours, beside] = [0, 0];
  notices.listen(() => {
    ours += 1;
  });
  notices.listenBeside(() => {
    beside += 1;
  });
  const other = `${log}.other`;
  for (const act of [
    () => writeFileSync(other, "x"),
    () => renameSync(other, `${other}s`),
    () => rmSync(`${other}s`),
  ]) {
    const before = beside;
    act();
    await until("it is told", () => beside > before);
  }
  const before = beside;
  expect(ours).toBe(0);
  appendFileSync(`${log}-wal`, "x");
  await until("the log's own is told", () => ours > 0);
  expect(beside).toBe(before);
});

test("another process's commit is seen soon where the system tells nothing", async () => {
  const log = join(temporaryDirectory(), "log.db");
  const [ours, others] = [new Database(log), new Database(log)];
  onTestFinished(() => void [ours, others].map((db) => db.close()));
  ours.pragma("journal_mode = WAL");
  ours.exec("CREATE TABLE t (n)");
  const silent: Notices = {
    listen: () => () => {},
    listenBeside: () => () => {},
    isWorking: () => false,
    stop: () => {},
  };
  let changes = 0;
  const stop = watchOthers(ours, silent, () => {
    changes += 1;
  });
  onTestFinished(stop);
  others.exec("INSERT INTO t VALUES (1)");
  // Where the system tells of writes, it is looked rarely.
  await until("it is seen", () => changes === 1, 30_000);
});

test("of a directory that cannot be watched nothing is told, and nothing breaks", () => {
  const notices = noticesOf(join(temporaryDirectory(), "gone", "log.db"));
  expect(notices.isWorking()).toBe(false);
  notices.stop();
});
