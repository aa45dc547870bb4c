/** A log that others write to, and end in the middle of it, is the log still. */
import { setTimeout as sleep } from "node:timers/promises";
import { once } from "node:events";
import { randomBytes } from "node:crypto";
import { statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { identityOf, type Identity } from "../../src/store/sqlite/file/identity.ts";
import type { Loss } from "../../src/store/sqlite/file/loss.ts";
import { openLog } from "../../src/store/sqlite/file/open.ts";
import { temporaryDirectory } from "../directory.ts";
import { children } from "./child.ts";

const start = children();

/** The log of a new state directory, open, and what its identity says. */
function openIdentity(): { stateDir: string; identity: Identity } {
  const stateDir = temporaryDirectory();
  const db = openLog(stateDir, { now: Date.now() });
  db.prepare("SELECT count(*) FROM events").get();
  const identity = identityOf(db, join(stateDir, "log.db"));
  onTestFinished(() => identity.close());
  return { stateDir, identity };
}

/** Looks all the time for so long, and often. Returns the first loss. */
async function lookFor(identity: Identity, ms: number): Promise<Loss | null> {
  const endsAt = Date.now() + ms;
  for (let looks = 1; ; looks += 1) {
    const loss = identity.look("nothing");
    if (loss || (looks > 50 && Date.now() > endsAt)) return loss;
    if (looks % 100 === 0) await sleep(0);
  }
}

test("a log that two others write into all the time is never taken for one that was written over", async () => {
  const { stateDir, identity } = openIdentity();
  const writers = ["a", "b"].map((name) => start("checkpointer", [stateDir, name]));
  for (const writer of writers) await writer.next();
  const loss = await lookFor(identity, 2_500);
  for (const writer of writers) await writer.kill();
  expect(loss).toBeNull();
});

test("a log into which a checkpoint was written that its process did not live to end is the log still", async () => {
  const { stateDir, identity } = openIdentity();
  const path = join(stateDir, "log.db");
  let isCutOff = false;
  // On a busy machine a checkpoint may end before anybody saw that it began.
  for (let tries = 0; !isCutOff && tries < 20; tries += 1) {
    const writer = start("checkpointer", [stateDir, "once"]);
    await writer.next();
    expect(identity.look("nothing")).toBeNull();
    const before = statSync(path, { bigint: true }).mtimeNs;
    writer.process.stdin?.write("x");
    while (statSync(path, { bigint: true }).mtimeNs === before) await sleep(0);
    writer.process.kill("SIGKILL");
    if (writer.process.exitCode === null) await once(writer.process, "exit");
    isCutOff = writer.process.signalCode === "SIGKILL";
  }
  expect(isCutOff).toBe(true);
  expect(identity.look("nothing")).toBeNull();
  // What it wrote is no licence: whoever cuts the log afterwards is found out.
  truncateSync(path, 4096);
  // A look at a log that does not rest leaves the judgement to the next one.
  expect((await lookFor(identity, 10_000))?.kind).toBe("overwritten");
});

test.each([
  ["emptied", (wal: string) => truncateSync(wal)],
  ["filled with something else", (wal: string) => writeFileSync(wal, randomBytes(statSync(wal).size))],
])("a -wal that was %s is found out, also once a commit made it as long as before", async (_, spoil) => {
  const { stateDir, identity } = openIdentity();
  const other = openLog(stateDir, { now: Date.now() });
  onTestFinished(() => void other.close());
  const commit = () => other.prepare("UPDATE counters SET value = value + 1").run();
  for (let n = 0; n < 5; n += 1) commit();
  expect(identity.look("nothing")).toBeNull();
  spoil(join(stateDir, "log.db-wal"));
  commit();
  expect(identity.look("nothing")).toEqual({ kind: "half", words: "has lost its log.db-wal" });
});
