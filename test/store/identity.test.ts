/** A log that others write to, and end in the middle of it, is the log still. */
import { setTimeout as sleep } from "node:timers/promises";
import { once } from "node:events";
import { statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { identityOf, type Identity, type Loss } from "../../src/store/sqlite/file/identity.ts";
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

/** Looks all the time for so long. Returns the first loss, and how often it looked. */
async function lookFor(identity: Identity, ms: number): Promise<{ loss: Loss | null; looks: number }> {
  const endsAt = Date.now() + ms;
  for (let looks = 1; ; looks += 1) {
    const loss = identity.look("nothing");
    if (loss || Date.now() > endsAt) return { loss, looks };
    if (looks % 100 === 0) await sleep(0);
  }
}

test("a log that two others write into all the time is never taken for one that was written over", async () => {
  const { stateDir, identity } = openIdentity();
  const writers = ["a", "b"].map((name) => start("checkpointer", [stateDir, name]));
  for (const writer of writers) await writer.next();
  const { loss, looks } = await lookFor(identity, 2_500);
  for (const writer of writers) await writer.kill();
  expect(loss).toBeNull();
  expect(looks).toBeGreaterThan(50);
});

test("a log into which a checkpoint was written that its process did not live to end is the log still", async () => {
  const { stateDir, identity } = openIdentity();
  const path = join(stateDir, "log.db");
  const writer = start("checkpointer", [stateDir, "once"]);
  await writer.next();
  expect(identity.look("nothing")).toBeNull();
  const before = statSync(path, { bigint: true }).mtimeNs;
  writer.process.stdin?.write("x");
  while (statSync(path, { bigint: true }).mtimeNs === before) await sleep(0);
  writer.process.kill("SIGKILL");
  await once(writer.process, "exit");
  expect(writer.process.signalCode).toBe("SIGKILL");
  expect(identity.look("nothing")).toBeNull();
  // What it wrote is no licence: whoever cuts the log afterwards is found out.
  truncateSync(path, 4096);
  expect(identity.look("nothing")?.kind).toBe("overwritten");
});
