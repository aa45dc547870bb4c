import type { Clock } from "../../shared/clock.ts";
import { AppError } from "../../shared/errors.ts";
import { type Secret, secret } from "../../shared/secret.ts";
import type { Vault } from "../contract.ts";
import { stampSecrets, type VaultDatabase } from "../file/database.ts";
import type { KeySource } from "./key-source.ts";
import { seal, unseal } from "../../shared/seal.ts";
import { keyHolder } from "./unlock.ts";

/** Items as sealed rows in `vault.db`, for machines without a desktop. The key rests elsewhere. */
export interface SealedOptions {
  stateDir: string;
  /** Opened on first need, so that a missing file is an answer to the verb that needs it. */
  database: () => VaultDatabase;
  keySource: KeySource | null;
  platform: NodeJS.Platform;
  clock: Pick<Clock, "now">;
}

export function sealedVault(options: SealedOptions): Omit<Vault, "exclusively" | "close"> {
  const unlock = keyHolder(options);
  return {
    backend: "sealed",
    read: async (names) => {
      const db = options.database();
      return db.alone(() => {
        const key = unlock(db);
        const found = new Map<string, Secret>();
        for (const name of names) {
          const sealed = db.sealed(name);
          if (sealed) found.set(name, secret(openItem(key, name, sealed)));
        }
        return found;
      });
    },
    write: async (changes) => {
      const db = options.database();
      db.alone(() => {
        const key = unlock(db);
        for (const [name, value] of changes) {
          if (value === null) db.remove(name);
          else db.put(name, seal(key, name, value.reveal()));
        }
        stampSecrets(db, changes, options.clock.now());
        db.touch();
      });
    },
    names: async (prefix) => {
      const db = options.database();
      return db.alone(() => db.names(prefix));
    },
    setAt: async (prefix) => options.database().stamps(prefix),
    revision: () => options.database().revision(),
    describe: () =>
      `the sealed vault in ${options.stateDir}, key from ${options.keySource?.path ?? "nowhere yet"}`,
  };
}

export function openItem(key: Buffer, name: string, sealed: Buffer): string {
  const text = unseal(key, name, sealed);
  if (text !== null) return text;
  throw new AppError("VAULT_UNAVAILABLE", `The item ${name} in vault.db was altered`, {
    hint: "Set this secret again, or connect again; find out who wrote to the file.",
  });
}
