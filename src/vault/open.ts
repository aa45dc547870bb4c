import type { Stats } from "node:fs";
import type { Clock } from "../shared/clock.ts";
import { AppError, isAppError } from "../shared/errors.ts";
import type { Host, Vault, VaultBackend } from "./contract.ts";
import { openVaultDatabase, type VaultDatabase, vaultFile, vaultFileAt, vaultPath } from "./file/database.ts";
import { createLocks } from "./file/lock.ts";
import { keychainVault } from "./keychain/keychain.ts";
import type { SharedVault } from "./postgres/open.ts";
import { findKeySource } from "./sealed/key-source.ts";
import { machineNotes, type NotesInFiles } from "./sealed/notes.ts";
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

/** A file that was written to again within this time may look as it did. */
const ONE_STAMP_MS = 3_000;
/** No vault sees so many writes. */
const LONGEST_HISTORY = 2 ** 32;

/**
 * Touches no file: each verb opens what it needs, and says so when it cannot. So the service starts without its
 * tokens, and finds them when the key or the keychain comes back. Who only reads makes neither a vault nor a key.
 */
export function openVault(options: VaultOptions): Vault {
  /** Of files that stood there one after the other, whose revisions may be alike. */
  let generation = 0;
  let opened: { db: VaultDatabase; file: string } | null = null;
  const path = vaultPath(options.stateDir);
  const close = () => {
    opened?.db.close();
    opened = null;
  };
  const databaseAt = (found: Stats | undefined) => {
    if (opened) {
      // Another file in its place is the vault now: what is written to the old one would be lost with it.
      if (!found) throw movedAway(opened.db.path);
      if (identityOf(found) === opened.file) return opened.db;
      close();
      generation += 1;
    }
    const db = openVaultDatabase(options.stateDir, options.backend);
    opened = { db, file: identityOf(vaultFileAt(path)) };
    return db;
  };
  const database = () => databaseAt(opened ? vaultFileAt(path) : undefined);
  // An empty file is one that nobody wrote to yet.
  const toReadAt = (found: Stats | undefined) => (opened || found?.size ? databaseAt(found) : null);
  const databaseToRead = () => toReadAt(vaultFileAt(path));
  const readRevision = unlessUnchanged(
    (found) => (toReadAt(found)?.revision() ?? 0) + generation * LONGEST_HISTORY,
  );
  const items =
    options.backend === "sealed"
      ? sealedVault({
          ...options,
          place: vaultFile({ database, databaseToRead }, options.stateDir),
          keySource: findKeySource(options),
          platform: options.host.platform,
        })
      : keychainVault({ ...options, database, databaseToRead });
  return {
    ...items,
    revision: () => readRevision(vaultFileAt(path)),
    exclusively: createLocks(options),
    close,
  };
}

/** The sealed vault whose rows lie in a database, for all machines that have its key. */
export function openVaultIn(shared: SharedVault, options: VaultOptions): Vault {
  const held = { ...options, keySource: findKeySource(options), platform: options.host.platform };
  const vault = sealedVault({ ...held, place: shared.place });
  const notes = machineNotes(held);
  const tidy = tidier(vault, notes);
  return {
    ...vault,
    read: async (names) => {
      const found = await vault.read(names);
      await tidy();
      return found;
    },
    exclusively: shared.exclusively,
    notes,
    notices: shared.notices,
    close: shared.close,
  };
}

/** Once after each write of whatever machine: of what another one disconnected this one shall know nothing, either. */
function tidier(vault: Pick<Vault, "names" | "revision">, notes: NotesInFiles): () => Promise<void> {
  let tidiedAt: number | null = null;
  return async () => {
    const revision = vault.revision();
    if (revision === tidiedAt) return;
    try {
      await notes.sweep(async () => {
        const names = await vault.names("");
        // A new database in the old one's place, perhaps for a moment, tells of no account.
        return names.length === 0 ? null : names;
      });
      tidiedAt = revision;
    } catch (error) {
      // What was read stands; the next reader sweeps.
      if (!isAppError(error, "VAULT_UNAVAILABLE")) throw error;
    }
  };
}

/** What `read` said last, for as long as the file looks as it did then: a service asks each second, mostly in vain. */
function unlessUnchanged(read: (found: Stats | undefined) => number): typeof read {
  let known: { read: number; stamp: string; sinceMs: number; isSettled: boolean } | null = null;
  return (found) => {
    const stamp = found ? `${identityOf(found)}/${found.size}/${found.ctimeMs}` : "";
    if (known?.isSettled && known.stamp === stamp) return known.read;
    const sinceMs = known?.stamp === stamp ? known.sinceMs : performance.now();
    const isSettled = stamp !== "" && performance.now() - sinceMs > ONE_STAMP_MS;
    known = { read: read(found), stamp, sinceMs, isSettled };
    return known.read;
  };
}

/** Which file it is. */
function identityOf(found: Stats | undefined): string {
  return found ? `${found.dev}/${found.ino}` : "";
}

function movedAway(path: string): AppError {
  return new AppError("VAULT_UNAVAILABLE", `${path} was moved away while it was in use`, {
    hint: "Bring it back. To begin anew without it, restart serve, set the secrets again and connect again.",
  });
}
