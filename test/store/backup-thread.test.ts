import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openBackupFiles } from "../../src/store/sqlite/backups.ts";
import { dist } from "../built.ts";
import { temporaryDirectory } from "../directory.ts";
import { completedFor } from "./events.ts";
import { openDirect } from "./world.ts";

test.each([
  ["a copy that another log was written into", (log: Buffer) => log.fill(7, 0, 6_000)],
  ["one that was cut short", (log: Buffer) => log.subarray(0, 9_000)],
  ["one of which nothing is there", () => Buffer.alloc(0)],
  ["one whose tables contradict each other", (log: Buffer) => log.fill(7, 4_096 * 4, 4_096 * 30)],
])("%s is told in words, and the thread goes on", async (_, spoil) => {
  const directory = temporaryDirectory();
  const store = await openDirect(directory);
  await store.append(completedFor("ann", "bob"));
  const copies = ["good", "bad"].map((name) => join(directory, name));
  for (const copy of copies) {
    writeFileSync(copy, "");
    await store.copyTo(copy);
  }
  await store.close();
  const [good = "", bad = ""] = copies;
  writeFileSync(bad, spoil(readFileSync(bad)));
  copyFileSync(bad, `${bad}2`);
  const files = await openBackupFiles(new URL("backup-thread.js", dist()), {
    log: "",
    temporaryDir: "/var/tmp",
  });
  onTestFinished(() => files.close());
  await expect(files.finish(bad)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  await expect(files.check(`${bad}2`)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  await expect(files.check(join(directory, "nothing"))).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  expect(await files.finish(good)).toMatchObject({ counts: { events: 2, invites: 2 } });
});

test.each([
  ["before it begins", () => true],
  ["while it goes on", (copy: string) => existsSync(`${copy}-journal`)],
])("a copy whose file is removed %s ends, and makes no file anew", async (_, isTime) => {
  const directory = temporaryDirectory();
  const store = await openDirect(directory);
  onTestFinished(() => store.close());
  await store.append(completedFor(...Array.from({ length: 8_000 }, (_, n) => `invited-${n}`)));
  const copy = join(directory, "copy");
  writeFileSync(copy, "");
  const copying = store.copyTo(copy);
  copying.catch(() => {});
  while (!isTime(copy)) await new Promise(setImmediate);
  rmSync(copy, { force: true });
  await expect(copying).rejects.toThrow();
  expect(readdirSync(directory).filter((name) => name.startsWith("copy"))).toEqual([]);
});
