import type { Clock } from "../shared/clock.ts";
import type { Vault, VaultBackend } from "./contract.ts";
import { openVaultDatabase, type VaultDatabase } from "./database.ts";
import { findKeySource } from "./key-source.ts";
import { keychainVault } from "./keychain.ts";
import { createLocks } from "./lock.ts";
import { sealedVault } from "./sealed.ts";

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

/** What the keychain's child process needs to know of this one. */
export interface Host {
  platform: NodeJS.Platform;
  /** `process.execPath` */
  nodePath: string;
  env: Readonly<Record<string, string | undefined>>;
}

/**
 * Touches no file: each verb opens what it needs, and says so when it cannot. So the service starts without its
 * tokens, and finds them when the key or the keychain comes back.
 */
export function openVault(options: VaultOptions): Vault {
  let opened: VaultDatabase | null = null;
  const database = () => {
    opened ??= openVaultDatabase(options.stateDir, options.backend);
    return opened;
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
    exclusively: createLocks(options),
    close: () => {
      opened?.close();
      opened = null;
    },
  };
}
