import { join } from "node:path";
import { copiedLog } from "../core/advice/copied-log.ts";
import { copiedMark } from "../shared/copied-log.ts";
import type { Vault } from "./contract.ts";

/** A vault that went along with the log into a database is only read from then on. */
export function unlessCopied(vault: Vault, stateDir: string): Vault {
  return {
    ...vault,
    write: async (changes) => {
      refuseCopied(stateDir);
      await vault.write(changes);
    },
  };
}

/** Throws `CONFIG_INVALID`. */
export function refuseCopied(stateDir: string): void {
  const mark = copiedMark(stateDir);
  if (mark) throw copiedLog(join(stateDir, "vault.db"), mark);
}
