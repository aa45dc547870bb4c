// Runs the files alone in which a few tests failed beside others, where a busy machine may be all that failed:
//
//   node .ci/again.mjs REPORT     REPORT as vitest's json reporter writes it
//
// Ends with 0 where they pass then, and says which they were: a fault may hide there. Not for counterexamples that a
// property found, which another seed would not find again, nor where many files fail, or the run itself.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { relative } from "node:path";

const MOST_FILES = 3;
const COUNTEREXAMPLE = /Property failed after|Counterexample:/;

const report = JSON.parse(readFileSync(process.argv[2], "utf8"));
const files = report.testResults.filter(({ status }) => status === "failed");
const failed = files.flatMap(({ name, assertionResults }) =>
  assertionResults
    .filter(({ status }) => status === "failed")
    .map(({ fullName, failureMessages }) => ({ file: relative(".", name), fullName, failureMessages })),
);

function reasonAgainst() {
  if (failed.length === 0) return "The run failed, and no test of it";
  if (files.length > MOST_FILES) return `${files.length} files failed`;
  const found = failed.find(({ failureMessages }) =>
    failureMessages.some((text) => COUNTEREXAMPLE.test(text)),
  );
  return found ? `"${found.fullName}" found a counterexample` : null;
}

const reason = reasonAgainst();
if (reason !== null) {
  process.stderr.write(`${reason}: not tried again.\n`);
  process.exit(1);
}
const names = [...new Set(failed.map(({ file }) => file))];
const { status } = spawnSync("npx", ["vitest", "run", "--maxWorkers=1", ...names], { stdio: "inherit" });
const outcome = status === 0 ? "Failed beside others, passed alone" : "Failed twice";
for (const { file, fullName } of failed) process.stderr.write(`${outcome}: ${file} > ${fullName}\n`);
process.exit(status ?? 1);
