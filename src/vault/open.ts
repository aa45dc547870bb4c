import { statSync } from "node:fs";
import type { Clock } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import type { Host, Vault, VaultBackend } from "./contract.ts";
import { openVaultDatabase, type VaultDatabase } from "./file/database.ts";
import { createLocks } from "./file/lock.ts";
import { keychainVault } from "./keychain/keychain.ts";
import { findKeySource } from "./sealed/key-source.ts";
import { sealedVault } from "./sealed/sealed.ts";

export interface VaultOptions {
  backend: VaultBackend;
  stateDir: string;
  /** Sealed vault: goes before the systemd credential `vault-key` in `credentialsDirectory`. */
  keyFile: string | null;
  credentialsDirectory: string | null;
  host: Host;
  /** The built `keychain-child.js`. */
  childUrl: URL;
  clock: Clock;
}

/** No vault sees so many writes. */
const LONGEST_HISTORY = 2 ** 32;

/**
 * Touches no file: each verb opens what it needs, and says so when it cannot. So the service starts without its
 * tokens, and finds them when the key or the keychain comes back.
 */
export function openVault(options: VaultOptions): Vault {
  /** Of files that stood there one after the other, whose revisions may be alike. */
  let generation = 0;
  let opened: { db: VaultDatabase; file: string } | null = null;
  const close = () => {
    opened?.db.close();
    opened = null;
  };
  const database = () => {
    if (opened) {
      // Another file in its place is the vault now: what is written to the old one would be lost with it.
      const file = identityOf(opened.db.path);
      if (file === opened.file) return opened.db;
      if (file === null) throw movedAway(opened.db.path);
      close();
      generation += 1;
    }
    const db = openVaultDatabase(options.stateDir, options.backend);
    opened = { db, file: identityOf(db.path) ?? "" };
    return db;
  };
  const items =
    options.backend === "sealed"
      ? sealedVault({
          ...options,
          database,
          keySource: findKeySource(options),
          platform: options.host.platform,
        })
      : keychainVault({ ...options, database });
  return {
    ...items,
    revision: () => {
      const { revision } = database();
      return revision() + generation * LONGEST_HISTORY;
    },
    exclusively: createLocks(options),
    close,
  };
}

/** Which file stands there; null when there is none. */
function identityOf(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false });
  return found ? `${found.dev}/${found.ino}` : null;
}

function movedAway(path: string): AppError {
  return new AppError("VAULT_UNAVAILABLE", `${path} was moved away while it was in use`, {
    hint: "Bring it back. To begin anew without it, restart serve, set the secrets again and connect again.",
  });
}
