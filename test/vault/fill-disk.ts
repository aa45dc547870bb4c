/** Writes to a vault on a small file system until it is full, and says how that is told. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/shared/clock.ts";
import { isAppError } from "../../src/shared/errors.ts";
import { secret } from "../../src/shared/secret.ts";
import { openVault } from "../../src/vault/open.ts";

const { directory, keyFile } = JSON.parse(process.argv[2] ?? "{}");
const vaultIn = (stateDir: string) =>
  openVault({
    backend: "sealed",
    stateDir,
    keyFile,
    credentialsDirectory: null,
    host: { platform: process.platform, nodePath: process.execPath, env: {} },
    childUrl: new URL(import.meta.url),
    clock: systemClock,
  });
const told = (error: unknown) => {
  if (!isAppError(error)) throw error;
  console.log(JSON.stringify({ code: error.code, message: error.message, hint: error.hint }));
};

const vault = vaultIn(join(directory, "state"));
await vault.write(new Map([["one", secret("kept")]]));
await vault.write(new Map([["two", secret("x".repeat(2_000_000))]])).catch(told);
const kept = await vault.read(["one"]);
console.log(JSON.stringify({ kept: kept.get("one")?.reveal() }));
try {
  writeFileSync(join(directory, "ballast"), Buffer.alloc(2_000_000));
} catch {
  // It holds all that there was room for.
}
await vaultIn(join(directory, "fresh"))
  .write(new Map([["one", secret("new")]]))
  .catch(told);
