import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * What is wrong with the webhook secrets, in words, in a small file beside the log: whoever reads the secrets leaves it
 * there, since `status` opens no vault, which may ask a person to unlock it. It names orgs, and nothing of a secret.
 */
export function tellSecretWarnings(stateDir: string, warnings: readonly string[]): void {
  const path = fileIn(stateDir);
  try {
    if (warnings.length === 0) rmSync(path, { force: true });
    else {
      writeFileSync(`${path}.new`, JSON.stringify(warnings), { mode: 0o600 });
      renameSync(`${path}.new`, path);
    }
  } catch {
    // On a disk that is full nothing can be told; the next who reads them tells it.
  }
}

export function secretWarnings(stateDir: string): string[] {
  try {
    const told: unknown = JSON.parse(readFileSync(fileIn(stateDir), "utf8"));
    return Array.isArray(told) ? told.filter((each) => typeof each === "string") : [];
  } catch {
    return [];
  }
}

function fileIn(stateDir: string): string {
  return join(stateDir, "secret-warnings.json");
}
