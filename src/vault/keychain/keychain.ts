import { setSecretCommand } from "../../core/advice/command-lines.ts";
import type { Clock } from "../../shared/clock.ts";
import { AppError } from "../../shared/errors.ts";
import { type Secret, secret } from "../../shared/secret.ts";
import type { Vault } from "../contract.ts";
import type { VaultDatabase, VaultFile } from "../file/database.ts";
import { stampSecrets } from "../rows.ts";
import { type KeychainCallOptions, keychainCaller } from "./keychain-call.ts";
import { SERVICE } from "./keychain-items.ts";

/** Items in the OS keychain, one each; `vault.db` keeps their names and nothing else. */
export interface KeychainOptions extends KeychainCallOptions, VaultFile {
  clock: Pick<Clock, "now">;
}

export function keychainVault(options: KeychainOptions): Omit<Vault, "exclusively" | "close"> {
  const call = keychainCaller(options);
  return {
    backend: "keychain",
    read: async (names) => {
      const db = options.databaseToRead();
      const isUsed = db?.alone(() => !db.isEmpty() && db.revision() > 0) ?? false;
      const { found, canary } = await call({ read: [...names], write: [] });
      if (isUsed && !canary) throw lockedOrEmptied();
      return new Map<string, Secret>(Object.entries(found).map(([name, text]) => [name, secret(text)]));
    },
    write: async (changes) => {
      const db = options.database();
      const write = [...changes].map(([name, value]): [string, string | null] => [
        name,
        value?.reveal() ?? null,
      ]);
      // Listed before it exists: an item that nobody lists would never be removed.
      const added = db.alone(() => listNew(db, changes));
      try {
        await call({ read: [], write });
      } catch (error) {
        db.alone(() => added.forEach(db.remove));
        throw error;
      }
      db.alone(() => {
        for (const [name, value] of changes) if (value === null) db.remove(name);
        stampSecrets(db, changes, options.clock.now());
        db.touch();
      });
    },
    names: async (prefix) => {
      const db = options.databaseToRead();
      return db === null ? [] : db.alone(() => db.names(prefix));
    },
    setAt: async (prefix) => options.databaseToRead()?.stamps(prefix) ?? new Map(),
    revision: () => options.databaseToRead()?.revision() ?? 0,
    describe: () => `${KEYCHAINS[options.host.platform] ?? "the desktop's keyring"}, service ${SERVICE}`,
  };
}

const KEYCHAINS: Partial<Record<NodeJS.Platform, string>> = {
  darwin: "the macOS keychain",
  win32: "Windows Credential Manager",
};

function listNew(db: VaultDatabase, changes: ReadonlyMap<string, Secret | null>): string[] {
  const listed = new Set(db.names(""));
  const added = [...changes].flatMap(([name, value]) => (value && !listed.has(name) ? [name] : []));
  for (const name of added) db.put(name, null);
  return added;
}

/** Never "not connected": a locked keyring denies having what it holds. */
function lockedOrEmptied(): AppError {
  return new AppError("VAULT_UNAVAILABLE", "The OS keychain is locked, or was emptied", {
    hint: `Unlock it (sign in to the desktop, or open its password manager). If it was emptied, set the secrets again and connect again: ${setSecretCommand("<name>")}`,
  });
}
