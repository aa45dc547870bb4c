/** What CI tries once more alone, by the reports that the suite's run leaves. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../directory.ts";

const QUICK = "test/shared/text.test.ts";

/** One test of each file failed, with these words. */
function again(failures: readonly { file: string; words: string }[]) {
  const report = join(temporaryDirectory(), "report.json");
  const testResults = failures.map(({ file, words }) => ({
    name: resolve(file),
    status: "failed",
    assertionResults: [{ fullName: "a promise", status: "failed", failureMessages: [words] }],
  }));
  writeFileSync(report, JSON.stringify({ testResults }));
  const { status, stderr } = spawnSync(process.execPath, [".ci/again.mjs", report], { encoding: "utf8" });
  return { status, stderr };
}

test("a file that passes alone passes, and is named", () => {
  const { status, stderr } = again([{ file: QUICK, words: "not within 90000 ms" }]);
  expect(stderr).toContain(`Failed beside others, passed alone: ${QUICK} > a promise`);
  expect(status).toBe(0);
});

test("a file that fails alone too is a failure", () => {
  const { status, stderr } = again([{ file: "test/ci/nowhere.test.ts", words: "not within 90000 ms" }]);
  expect(stderr).toContain("Failed twice: test/ci/nowhere.test.ts > a promise");
  expect(status).toBe(1);
});

test.each<[string, string[], string]>([
  ["a counterexample", ["Error: Property failed after 12 tests\n{ seed: 5 }"], "found a counterexample"],
  ["four files", ["late", "late", "late", "late"], "4 files failed"],
  ["a run that failed without a test", [], "no test of it"],
])("%s is not tried again", (_, words, reason) => {
  const { status, stderr } = again(words.map((each, index) => ({ file: `${index}.test.ts`, words: each })));
  expect(stderr).toContain(reason);
  expect(status).toBe(1);
});
