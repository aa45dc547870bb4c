import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readOwnFile } from "../../shared/private-files.ts";

/**
 * What is wrong with the webhook secrets, in words, in a small file beside the log: whoever reads the secrets leaves it
 * there, since `status` opens no vault, which may ask a person to unlock it. It names orgs, and nothing of a secret.
 */
export function tellSecretWarnings(stateDir: string, warnings: readonly string[]): void {
  const path = fileIn(stateDir);
  try {
    if (warnings.length === 0) rmSync(path, { force: true });
    else {
      rmSync(`${path}.new`, { force: true });
      writeFileSync(`${path}.new`, JSON.stringify(warnings), { mode: 0o600, flag: "wx" });
      renameSync(`${path}.new`, path);
    }
  } catch {
    // On a disk that is full nothing can be told; the next who reads them tells it.
  }
}

export function secretWarnings(stateDir: string): string[] {
  try {
    const told: unknown = JSON.parse(readOwnFile(fileIn(stateDir)));
    return Array.isArray(told) ? told.filter((each) => typeof each === "string") : [];
  } catch {
    return [];
  }
}

function fileIn(stateDir: string): string {
  return join(stateDir, "secret-warnings.json");
}
