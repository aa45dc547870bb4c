import { randomBytes } from "node:crypto";
import { renameSync } from "node:fs";
import { dirname } from "node:path";
import { AppError } from "../../shared/errors.ts";
import { NO_VAULT_KEY } from "../../shared/no-vault-key.ts";
import type { KeyCheck, VaultRows } from "../rows.ts";
import { createKey, flushDirectory, type KeySource, readKey } from "./key-source.ts";
import { deriveKey } from "../../shared/seal.ts";
import { openRowList, type RowList, sealRowList } from "./row-list.ts";

interface UnlockOptions {
  keySource: KeySource | null;
  platform: NodeJS.Platform;
}

export const SALT_BYTES = 32;

interface HeldKey {
  salt: Buffer;
  key: Buffer;
  /** What the key was derived from. */
  material: Buffer;
}

/** A vault that can be read and written now. */
export interface Unlocked extends HeldKey {
  list: RowList | "unbound";
}

/** A key that nothing was sealed with yet. */
export function newKey(material: Buffer): { salt: Buffer; key: Buffer } {
  const salt = randomBytes(SALT_BYTES);
  return { salt, key: keyOf(material, salt) };
}

export function keyOf(material: Buffer, salt: Buffer): Buffer {
  return deriveKey("vault", material, salt);
}

/** Where a rotation puts the new key until every item is sealed with it. */
export function nextKeyPath(source: KeySource): string {
  return `${source.path}.next`;
}

export interface KeyHolder {
  /** For who writes: makes a key where nothing was sealed yet. */
  unlock(rows: VaultRows): Unlocked;
  /** For who reads: null where nothing was sealed yet. */
  unlockToRead(rows: VaultRows): Unlocked | null;
  /** The list that this process sealed itself: it need not be opened again. */
  sealed(proof: Buffer, list: RowList): void;
  /** Throws where no key can be had, or one that must not be used, also before anything is sealed. */
  insistOnSource(): void;
}

/**
 * Finds the key, inside a transaction on the vault, and keeps it while the vault's salt stands, so that a `rekey`
 * by another process is noticed at once.
 */
export function keyHolder({ keySource, platform }: UnlockOptions): KeyHolder {
  let held: HeldKey | null = null;
  /** To open the list of a thousand orgs' rows costs ten times what a row costs, and most who read find it as it was. */
  let opened: { proof: Buffer; list: RowList | "unbound" } | null = null;
  const listIn = ({ key }: HeldKey, { proof }: KeyCheck) => {
    if (opened?.proof.equals(proof)) return opened.list;
    const list = openRowList(key, proof);
    opened = list && { proof, list };
    return list;
  };
  const withHeld = (check: KeyCheck | null): Unlocked | null => {
    if (!held || !check || !held.salt.equals(check.salt)) return null;
    const list = listIn(held, check);
    return list && { ...held, list };
  };
  const unlockToRead = (rows: VaultRows): Unlocked | null => {
    const check = rows.keyCheck();
    const known = withHeld(check);
    if (known) return known;
    if (!keySource) throw noKeySource();
    const unlocked = openSealed({ keySource, platform }, rows, check);
    if (unlocked) held = unlocked;
    return unlocked;
  };
  return {
    unlockToRead,
    unlock: (rows) => {
      const unlocked = unlockToRead(rows);
      if (unlocked) return unlocked;
      if (!keySource) throw noKeySource();
      held = sealFirst({ keySource, platform }, rows);
      return { ...held, list: new Map() };
    },
    sealed: (proof, list) => {
      opened = { proof, list };
    },
    insistOnSource: () => {
      if (held) return;
      if (!keySource) throw noKeySource();
      if (!readKey(keySource, platform) && keySource.kind === "credential") throw keyMissing(keySource);
    },
  };
}

interface Sourced extends UnlockOptions {
  keySource: KeySource;
}

/** Null where nothing was sealed yet: any key would do. */
function openSealed({ keySource, platform }: Sourced, rows: VaultRows, check: KeyCheck | null) {
  if (!check) return null;
  const isEmpty = rows.isEmpty();
  const material = readKey(keySource, platform);
  const fitting = openWith(material, check) ?? finishRotation(keySource, platform, check);
  if (fitting || isEmpty) return fitting;
  throw material ? wrongKey(keySource, rows.path) : keyMissing(keySource);
}

/** A new key opens nothing that was sealed before: it is made only while there is nothing to open. */
function sealFirst({ keySource, platform }: Sourced, rows: VaultRows) {
  const found = readKey(keySource, platform);
  if (!found && keySource.kind === "credential") throw keyMissing(keySource);
  const material = found ?? createKey(keySource.path);
  const { salt, key } = newKey(material);
  rows.setKeyCheck({ salt, proof: sealRowList(key, new Map()) });
  return { salt, key, material };
}

function openWith(material: Buffer | null, check: KeyCheck): Unlocked | null {
  if (!material) return null;
  const key = keyOf(material, check.salt);
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

export function noKeySource(): AppError {
  return new AppError("VAULT_UNAVAILABLE", NO_VAULT_KEY.message, { hint: NO_VAULT_KEY.hint });
}

function keyMissing(source: KeySource): AppError {
  return new AppError("VAULT_UNAVAILABLE", `The vault's key is missing: ${source.path}`, {
    hint:
      source.kind === "file"
        ? "Restore the key file from your backup, or from another machine that shares the vault, or set vault.key_file to where it is."
        : "Add LoadCredential=vault-key:/path/to/key to the unit, or set vault.key_file.",
  });
}

function wrongKey(source: KeySource, path: string): AppError {
  return new AppError("VAULT_UNAVAILABLE", `This key does not open the vault: ${source.path}`, {
    hint: `Point vault.key_file (or the credential vault-key) to the key that ${path} was sealed with.`,
  });
}
