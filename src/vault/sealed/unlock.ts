import { randomBytes } from "node:crypto";
import { renameSync } from "node:fs";
import { dirname } from "node:path";
import { AppError } from "../../shared/errors.ts";
import type { KeyCheck, VaultDatabase } from "../file/database.ts";
import { createKey, flushDirectory, type KeySource, readKey } from "./key-source.ts";
import { deriveKey, seal, unseal } from "../../shared/seal.ts";

interface UnlockOptions {
  keySource: KeySource | null;
  platform: NodeJS.Platform;
}

const PROOF_NAME = "";
const PROOF_TEXT = "jc-integrations";

/** What a vault keeps to know its key again, without having to open an item. */
export function newKeyCheck(material: Buffer): { check: KeyCheck; key: Buffer } {
  const salt = randomBytes(32);
  const key = deriveKey("vault", material, salt);
  return { check: { salt, proof: seal(key, PROOF_NAME, PROOF_TEXT) }, key };
}

/** Where a rotation puts the new key until every item is sealed with it. */
export function nextKeyPath(source: KeySource): string {
  return `${source.path}.next`;
}

/**
 * Finds the key, inside a transaction on the vault, and keeps it while the vault's salt stands, so that a `rekey`
 * by another process is noticed at once.
 */
export function keyHolder(options: UnlockOptions): (db: VaultDatabase) => Buffer {
  let held: { salt: Buffer; key: Buffer } | null = null;
  return (db) => {
    const check = db.keyCheck();
    if (held && check && held.salt.equals(check.salt)) return held.key;
    held = unlock(options, db, check);
    return held.key;
  };
}

function unlock({ keySource, platform }: UnlockOptions, db: VaultDatabase, check: KeyCheck | null) {
  if (!keySource) throw noKeySource();
  const isEmpty = db.names("").length === 0;
  const material = readKey(keySource, platform);
  if (check) {
    const key = keyThatFits(material, check) ?? finishRotation(keySource, platform, check);
    if (key) return { salt: check.salt, key };
    if (!isEmpty) throw material ? wrongKey(keySource, db.path) : keyMissing(keySource);
  }
  // A new key opens nothing that was sealed before: it is made only while there is nothing to open.
  if (!material && keySource.kind === "credential") throw keyMissing(keySource);
  const fresh = newKeyCheck(material ?? createKey(keySource.path));
  db.setKeyCheck(fresh.check);
  return { salt: fresh.check.salt, key: fresh.key };
}

function keyThatFits(material: Buffer | null, check: KeyCheck): Buffer | null {
  if (!material) return null;
  const key = deriveKey("vault", material, check.salt);
  return unseal(key, PROOF_NAME, check.proof) === PROOF_TEXT ? key : null;
}

/** A rotation sealed the items with the next key and has yet to put it in the old one's place, or died before it did. */
function finishRotation(source: KeySource, platform: NodeJS.Platform, check: KeyCheck): Buffer | null {
  if (source.kind === "credential") return null;
  const next = nextKeyPath(source);
  const key = keyThatFits(readKey({ kind: "file", path: next }, platform), check);
  if (!key) return null;
  renameSync(next, source.path);
  flushDirectory(dirname(source.path));
  return key;
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
