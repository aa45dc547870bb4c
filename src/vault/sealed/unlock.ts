import { randomBytes } from "node:crypto";
import { renameSync } from "node:fs";
import { dirname } from "node:path";
import { AppError } from "../../shared/errors.ts";
import type { KeyCheck, VaultDatabase } from "../file/database.ts";
import { createKey, flushDirectory, type KeySource, readKey } from "./key-source.ts";
import { deriveKey } from "../../shared/seal.ts";
import { openRowList, type RowList, sealRowList } from "./row-list.ts";

interface UnlockOptions {
  keySource: KeySource | null;
  platform: NodeJS.Platform;
}

/** A vault that can be read and written now. */
export interface Unlocked {
  salt: Buffer;
  key: Buffer;
  /** What the key was derived from. */
  material: Buffer;
  list: RowList | "unbound";
}

/** A key that nothing was sealed with yet. */
export function newKey(material: Buffer): { salt: Buffer; key: Buffer } {
  const salt = randomBytes(32);
  return { salt, key: deriveKey("vault", material, salt) };
}

/** Where a rotation puts the new key until every item is sealed with it. */
export function nextKeyPath(source: KeySource): string {
  return `${source.path}.next`;
}

/**
 * Finds the key, inside a transaction on the vault, and keeps it while the vault's salt stands, so that a `rekey`
 * by another process is noticed at once.
 */
export function keyHolder(options: UnlockOptions): (db: VaultDatabase) => Unlocked {
  let held: { salt: Buffer; key: Buffer; material: Buffer } | null = null;
  return (db) => {
    const check = db.keyCheck();
    if (held && check && held.salt.equals(check.salt)) {
      const list = openRowList(held.key, check.proof);
      if (list) return { ...held, list };
    }
    const unlocked = unlock(options, db, check);
    held = unlocked;
    return unlocked;
  };
}

function unlock({ keySource, platform }: UnlockOptions, db: VaultDatabase, check: KeyCheck | null): Unlocked {
  if (!keySource) throw noKeySource();
  const isEmpty = db.names("").length === 0;
  const material = readKey(keySource, platform);
  if (check) {
    const fitting = openWith(material, check) ?? finishRotation(keySource, platform, check);
    if (fitting) return fitting;
    if (!isEmpty) throw material ? wrongKey(keySource, db.path) : keyMissing(keySource);
  }
  // A new key opens nothing that was sealed before: it is made only while there is nothing to open.
  if (!material && keySource.kind === "credential") throw keyMissing(keySource);
  const found = material ?? createKey(keySource.path);
  const list: RowList = new Map();
  const { salt, key } = newKey(found);
  db.setKeyCheck({ salt, proof: sealRowList(key, list) });
  return { salt, key, material: found, list };
}

function openWith(material: Buffer | null, check: KeyCheck): Unlocked | null {
  if (!material) return null;
  const key = deriveKey("vault", material, check.salt);
  const list = openRowList(key, check.proof);
  return list && { salt: check.salt, key, material, list };
}

/** A rotation sealed the items with the next key and has yet to put it in the old one's place, or died before it did. */
function finishRotation(source: KeySource, platform: NodeJS.Platform, check: KeyCheck): Unlocked | null {
  if (source.kind === "credential") return null;
  const next = nextKeyPath(source);
  const fitting = openWith(readKey({ kind: "file", path: next }, platform), check);
  if (!fitting) return null;
  renameSync(next, source.path);
  flushDirectory(dirname(source.path));
  return fitting;
}

function noKeySource(): AppError {
  return new AppError("VAULT_UNAVAILABLE", "The sealed vault has no key", {
    hint: "Set [vault] key_file, or run as a systemd service with LoadCredential=vault-key:/path/to/key.",
  });
}

function keyMissing(source: KeySource): AppError {
  return new AppError("VAULT_UNAVAILABLE", `The vault's key is missing: ${source.path}`, {
    hint:
      source.kind === "file"
        ? "Restore the key file from your backup, or set vault.key_file to where it is."
        : "Add LoadCredential=vault-key:/path/to/key to the unit, or set vault.key_file.",
  });
}

function wrongKey(source: KeySource, path: string): AppError {
  return new AppError("VAULT_UNAVAILABLE", `This key does not open the vault: ${source.path}`, {
    hint: `Point vault.key_file (or the credential vault-key) to the key that ${path} was sealed with.`,
  });
}
