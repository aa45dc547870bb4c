import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
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
  const files = await openBackupFiles(new URL("backup-thread.js", dist()));
  onTestFinished(() => files.close());
  await expect(files.finish(bad)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  await expect(files.check(`${bad}2`)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  await expect(files.check(join(directory, "nothing"))).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  expect(await files.finish(good)).toMatchObject({ counts: { events: 2, invites: 2 } });
});
