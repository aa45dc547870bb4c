import type { Clock } from "../../shared/clock.ts";
import { type Secret, secret } from "../../shared/secret.ts";
import type { Vault } from "../contract.ts";
import { stampSecrets, type VaultPlace } from "../rows.ts";
import { bindRows } from "./bind.ts";
import type { KeySource } from "./key-source.ts";
import { changeRows, openRow, sealRowList } from "./row-list.ts";
import { keyHolder } from "./unlock.ts";

/** Items as sealed rows, for machines without a desktop. The key rests elsewhere than they do. */
export interface SealedOptions {
  place: VaultPlace;
  keySource: KeySource | null;
  platform: NodeJS.Platform;
  clock: Pick<Clock, "now">;
}

export function sealedVault(options: SealedOptions): Omit<Vault, "exclusively" | "close"> {
  const { place, keySource, clock } = options;
  const { unlock, unlockToRead, sealed, insistOnSource } = keyHolder(options);
  return {
    backend: "sealed",
    read: async (names) => {
      insistOnSource();
      const read = await place.look(names, (rows) => {
        const found = new Map<string, Secret>();
        const unlocked = unlockToRead(rows);
        for (const name of unlocked ? names : []) {
          const text = unlocked && openRow(unlocked, name, rows.sealed(name));
          if (text !== null) found.set(name, secret(text));
        }
        return found;
      });
      return read ?? new Map();
    },
    write: (changes) =>
      place.alone([...changes.keys()], (rows) => {
        const { salt, ...bound } = bindRows(rows, unlock(rows), new Set(changes.keys()));
        const texts = [...changes].map(([name, value]) => [name, value?.reveal() ?? null] as const);
        const list = changeRows(rows, bound, texts);
        const proof = sealRowList(bound.key, list);
        rows.setKeyCheck({ salt, proof });
        sealed(proof, list);
        stampSecrets(rows, changes, clock.now());
        rows.touch();
      }),
    names: place.names,
    setAt: place.stamps,
    revision: place.revision,
    describe: () => `the sealed vault in ${place.where()}, key from ${keySource?.path ?? "nowhere yet"}`,
  };
}
