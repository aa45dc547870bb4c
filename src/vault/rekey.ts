import { REKEY_COMMAND } from "../core/advice/command-lines.ts";
import { rmSync } from "node:fs";
import { AppError } from "../shared/errors.ts";
import { openVaultDatabase } from "./file/database.ts";
import { createKey, findKeySource, type KeySource, readKey } from "./sealed/key-source.ts";
import type { VaultOptions } from "./open.ts";
import { sealAnew } from "./sealed/bind.ts";
import { sealRowList } from "./sealed/row-list.ts";
import { keyHolder, newKey, nextKeyPath } from "./sealed/unlock.ts";

export interface Rekeyed {
  items: number;
  /** Where the vault's key is now. */
  keyFile: string;
}

/**
 * Seals every item anew: with the key in `newKeyFile` (made when missing; the operator then points the configuration
 * to it), or, where that is null, with a new key that takes the old file's place. Killed at any instant, the vault
 * opens with either the old key or the new one.
 */
export async function rekeyVault(options: VaultOptions, newKeyFile: string | null): Promise<Rekeyed> {
  const source = rekeyable(options, newKeyFile);
  const platform = options.host.platform;
  const unlock = keyHolder({ keySource: source, platform });
  const db = openVaultDatabase(options.stateDir, "sealed");
  try {
    const items = db.alone(() => {
      const unlocked = unlock(db);
      const fresh = newKey(newKeyFile ? keyIn(newKeyFile, platform) : freshKey(nextKeyPath(source)));
      const list = sealAnew(db, unlocked, fresh);
      db.setKeyCheck({ salt: fresh.salt, proof: sealRowList(fresh.key, list) });
      return list.size;
    });
    // The first to unlock after a rotation moves the next key into place.
    if (newKeyFile === null) db.alone(() => unlock(db));
    return { items, keyFile: newKeyFile ?? source.path };
  } finally {
    db.close();
  }
}

function rekeyable(options: VaultOptions, newKeyFile: string | null): KeySource {
  const source = findKeySource(options);
  if (options.backend !== "sealed" || !source)
    throw new AppError("USAGE", "Only a sealed vault has a key to change", {
      hint: "The keychain's items are protected by your login.",
    });
  if (source.kind === "credential" && newKeyFile === null)
    throw new AppError("USAGE", "A systemd credential cannot be changed from here", {
      hint: `${REKEY_COMMAND}, then load that file as the credential vault-key.`,
    });
  return source;
}

function keyIn(path: string, platform: NodeJS.Platform): Buffer {
  return readKey({ kind: "file", path }, platform) ?? createKey(path);
}

/** A file left over from a rotation that never committed opens nothing. */
function freshKey(path: string): Buffer {
  rmSync(path, { force: true });
  return createKey(path);
}
