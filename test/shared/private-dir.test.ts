import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { makePrivateDir } from "../../src/shared/private-dir.ts";

test("a directory and those above it are made for their owner alone, and left alone when they are there", () => {
  const root = mkdtempSync(join(tmpdir(), "jc-private-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const path = join(root, "a", "b");
  makePrivateDir(path);
  makePrivateDir(path);
  expect([path, join(root, "a")].map((dir) => statSync(dir).mode & 0o777)).toEqual([0o700, 0o700]);
});

test.runIf(process.platform === "linux")("a place that takes no directories is refused at once", () => {
  expect(() => makePrivateDir("/proc/nope/state")).toThrow(/ENOENT/);
});
