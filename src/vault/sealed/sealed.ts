import type { Clock } from "../../shared/clock.ts";
import { type Secret, secret } from "../../shared/secret.ts";
import type { Vault } from "../contract.ts";
import { stampSecrets, type VaultDatabase } from "../file/database.ts";
import type { KeySource } from "./key-source.ts";
import { bindRows } from "./bind.ts";
import { changeRows, openRow, sealRowList } from "./row-list.ts";
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
        const unlocked = unlock(db);
        const found = new Map<string, Secret>();
        for (const name of names) {
          const text = openRow(unlocked, name, db.sealed(name));
          if (text !== null) found.set(name, secret(text));
        }
        return found;
      });
    },
    write: async (changes) => {
      const db = options.database();
      db.alone(() => {
        const { salt, ...bound } = bindRows(db, unlock(db), new Set(changes.keys()));
        const texts = [...changes].map(([name, value]) => [name, value?.reveal() ?? null] as const);
        db.setKeyCheck({ salt, proof: sealRowList(bound.key, changeRows(db, bound, texts)) });
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
