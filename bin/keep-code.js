// Keeps the code of what `status` runs, which is looked at most often, and is much of what any command runs. For the
// build, and for a package, which does so where it is installed: the code is good for one Node at one place.
const { execFileSync } = require("node:child_process");
const { mkdtempSync, rmSync } = require("node:fs");
const { tmpdir } = require("node:os");

const empty = mkdtempSync(`${tmpdir()}/jc-build-`);
const start = `const loader = require(${JSON.stringify(`${__dirname}/load.js`)}); loader.load("start.cjs").start(loader).then(loader.keepCode)`;
try {
  // The first one creates the store that the second one reads.
  for (const words of [["run", "retry"], ["status"]])
    execFileSync(process.execPath, ["-e", start, "jc-integrations", ...words], {
      env: { PATH: process.env.PATH, JC_STATE_DIR: empty, XDG_CONFIG_HOME: empty },
      stdio: "ignore",
    });
} finally {
  rmSync(empty, { recursive: true });
}
