import { createHash, randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AppError, isAppError } from "../../shared/errors.ts";
import { makePrivateDir } from "../../shared/private-dir.ts";
import { seal, unseal } from "../../shared/seal.ts";
import { secret } from "../../shared/secret.ts";
import type { MachineNotes } from "../contract.ts";
import { DISK_FULL, isDiskFull } from "../file/full-disk.ts";
import { flushDirectory, type KeySource, readKey } from "./key-source.ts";
import { keyOf, newKey, SALT_BYTES } from "./unlock.ts";

export interface NotesInFiles extends MachineNotes {
  /** Takes away what is noted of other items than those. They are asked for after the files are listed: a note is younger than its item. */
  sweep(items: () => Promise<readonly string[] | null>): Promise<void>;
}

/** The names of finished notes; what is being written has another. */
const NOTE = /^[0-9a-f]{32}$/;

/** Notes in files of the state directory, one each: the salt, and what is sealed with the vault's key under it. */
export function machineNotes(options: {
  stateDir: string;
  keySource: KeySource | null;
  platform: NodeJS.Platform;
}): NotesInFiles {
  const { keySource, platform } = options;
  const directory = join(options.stateDir, "vault-notes");
  // A hash, because names hold slashes and file systems differ in what else they allow.
  const hashOf = (name: string) => createHash("sha256").update(name).digest("hex").slice(0, 32);
  const fileOf = (name: string) => join(directory, hashOf(name));
  const material = () => (keySource ? readKey(keySource, platform) : null);
  return {
    read: async (name) => {
      const bytes = guarded(directory, () => contentsOf(fileOf(name)));
      const key = bytes && material();
      if (!bytes || !key) return null;
      const text = unseal(keyOf(key, bytes.subarray(0, SALT_BYTES)), name, bytes.subarray(SALT_BYTES));
      // Of another key, or torn: it says nothing.
      return text === null ? null : secret(text);
    },
    write: async (name, value) => {
      const path = fileOf(name);
      if (value === null) return guarded(directory, () => rmSync(path, { force: true }));
      const held = material();
      if (!held) throw new AppError("VAULT_UNAVAILABLE", "The vault's key cannot be read");
      const { salt, key } = newKey(held);
      guarded(directory, () => {
        makePrivateDir(directory);
        const draft = `${path}.${randomBytes(6).toString("hex")}`;
        const bytes = Buffer.concat([salt, seal(key, name, value.reveal())]);
        try {
          writeFileSync(draft, bytes, { mode: 0o600, flag: "wx", flush: true });
          renameSync(draft, path);
        } finally {
          rmSync(draft, { force: true });
        }
        flushDirectory(directory);
      });
    },
    sweep: async (items) => {
      const written = guarded(directory, () => stampsIn(directory));
      if (written.size === 0) return;
      const held = await items();
      if (held === null) return;
      for (const name of held) written.delete(hashOf(name));
      guarded(directory, () => {
        for (const [file, stamp] of written)
          if (stampOf(join(directory, file)) === stamp) rmSync(join(directory, file), { force: true });
      });
    },
  };
}

/** When each note was written. */
function stampsIn(directory: string): Map<string, string | null> {
  const files = existsSync(directory) ? readdirSync(directory).filter((file) => NOTE.test(file)) : [];
  return new Map(files.map((file) => [file, stampOf(join(directory, file))]));
}

function stampOf(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false });
  return found ? `${found.ino}/${found.mtimeMs}` : null;
}

function contentsOf(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

function guarded<T>(directory: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (isAppError(cause) || !(cause instanceof Error && "code" in cause)) throw cause;
    const [why, hint] = isDiskFull(cause)
      ? [DISK_FULL.what, DISK_FULL.hint]
      : [String(cause.code), "Check that this user may read and write it."];
    throw new AppError("VAULT_UNAVAILABLE", `${directory} cannot be used: ${why}`, { hint, cause });
  }
}
