// Keeps the code of what `status` runs, which is looked at most often, and is much of what any command runs. For the
// build, and for a package, which does so where it is installed: the code is good for one Node at one place.
const { execFileSync } = require("node:child_process");
const { mkdtempSync, rmSync } = require("node:fs");
const { tmpdir } = require("node:os");

/** The first one creates the store that the second one reads; the third opens a vault, as `status` does that knows of an account. */
const STEPS = [
  { words: ["run", "retry"], keeps: [] },
  { words: ["status"], keeps: ["status.cjs", "status-of-log.cjs"] },
  { words: ["secrets", "set", "hubspot.client-secret"], keeps: ["status-of-vault.cjs"] },
];
const empty = mkdtempSync(`${tmpdir()}/jc-build-`);
const env = {
  PATH: process.env.PATH,
  JC_STATE_DIR: empty,
  XDG_CONFIG_HOME: empty,
  JC_VAULT_BACKEND: "sealed",
  JC_VAULT_KEY_FILE: `${empty}/vault.key`,
};
const start = `const loader = require(${JSON.stringify(`${__dirname}/load.js`)}); loader.load("start.cjs").start(loader)`;
try {
  for (const { words, keeps } of STEPS)
    execFileSync(
      process.execPath,
      ["-e", `${start}.then(() => loader.keepCode(${JSON.stringify(keeps)}))`, "jc-integrations", ...words],
      { env, input: "none", stdio: ["pipe", "ignore", "ignore"] },
    );
} finally {
  rmSync(empty, { recursive: true });
}
