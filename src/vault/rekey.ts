import { REKEY_COMMAND } from "../core/advice/command-lines.ts";
import { rmSync } from "node:fs";
import { AppError } from "../shared/errors.ts";
import { openVaultDatabase, vaultFile } from "./file/database.ts";
import { createKey, findKeySource, type KeySource, namedKey } from "./sealed/key-source.ts";
import type { VaultOptions } from "./open.ts";
import type { VaultPlace } from "./rows.ts";
import { sealAnew } from "./sealed/bind.ts";
import { sealRowList } from "./sealed/row-list.ts";
import { keyHolder, newKey, nextKeyPath } from "./sealed/unlock.ts";

export interface Rekeyed {
  items: number;
  /** Where the vault's key is now. */
  keyFile: string;
}

/**
 * Seals every item anew: with the key in `newKeyFile` (made when missing, and else a key of ours; the operator then points the configuration
 * to it), or, where that is null, with a new key that takes the old file's place. Killed at any instant, the vault
 * opens with either the old key or the new one.
 */
export async function rekeyVault(options: VaultOptions, newKeyFile: string | null): Promise<Rekeyed> {
  rekeyable(options, newKeyFile);
  const db = openVaultDatabase(options.stateDir, "sealed");
  try {
    return await rekeyIn(
      vaultFile({ database: () => db, databaseToRead: () => db }, options.stateDir),
      options,
      newKeyFile,
    );
  } finally {
    db.close();
  }
}

/** The same with the rows wherever they lie. */
export async function rekeyIn(
  place: VaultPlace,
  options: VaultOptions,
  newKeyFile: string | null,
): Promise<Rekeyed> {
  const source = rekeyable(options, newKeyFile);
  const platform = options.host.platform;
  const { unlock } = keyHolder({ keySource: source, platform });
  const items = await place.alone("all", (rows) => {
    const unlocked = unlock(rows);
    const fresh = newKey(newKeyFile ? namedKey(newKeyFile, platform) : freshKey(nextKeyPath(source)));
    const list = sealAnew(rows, unlocked, fresh);
    rows.setKeyCheck({ salt: fresh.salt, proof: sealRowList(fresh.key, list) });
    return list.size;
  });
  // The first to unlock after a rotation moves the next key into place.
  if (newKeyFile === null) await place.alone([], (rows) => void unlock(rows));
  return { items, keyFile: newKeyFile ?? source.path };
}

function rekeyable(options: VaultOptions, newKeyFile: string | null): KeySource {
  const source = findKeySource(options);
  if (options.backend !== "sealed" || !source)
    throw new AppError("USAGE", "Only a sealed vault has a key to change", {
      hint: "The keychain's items are protected by your login.",
    });
  if (source.kind === "credential" && newKeyFile === null)
    throw new AppError("USAGE", "A systemd credential cannot be changed from here", {
      hint: `Seal the vault with a new key, then load its file as the credential vault-key: ${REKEY_COMMAND}`,
    });
  return source;
}

/** A file left over from a rotation that never committed opens nothing. */
function freshKey(path: string): Buffer {
  rmSync(path, { force: true });
  return createKey(path);
}
