import type { Slot } from "../../contract/store.ts";
import type { Sql } from "../../../postgres/sql.ts";

/**
 * Slots that this process took in a commit whose answer was lost on the way, or did not take: nobody knows which. No call ever
 * goes in them, and nobody else would end them.
 */
export interface UnheardSlots {
  /**
   * Takes a slot in the window of that key by `work`, which frees those of before, and hands what it took to `taken` before
   * that is committed.
   */
  during<Result>(key: string | null, work: (taken: (slot: Slot) => Slot) => Promise<Result>): Promise<Result>;
  /** Of their windows. */
  keys(): string[];
  /** Within a transaction that has the key: so has the one whose commit may still be on its way. */
  free(tx: Sql, key: string): Promise<void>;
}

export function createUnheardSlots(): UnheardSlots {
  const unheard = new Map<number, string>();
  const idsOf = (key: string | null) => [...unheard].flatMap(([id, of]) => (of === key ? [id] : []));
  return {
    during: async (key, work) => {
      const before = idsOf(key);
      let taken: number | null = null;
      try {
        const result = await work((slot) => {
          taken = slot.id;
          return slot;
        });
        for (const id of before) unheard.delete(id);
        return result;
      } catch (error) {
        if (key !== null && taken !== null) unheard.set(taken, key);
        throw error;
      }
    },
    keys: () => [...new Set(unheard.values())],
    free: async (tx, key) => {
      const ids = idsOf(key);
      if (ids.length > 0) await tx.run("DELETE FROM jc.calls WHERE id = ANY ($1::bigint[])", [ids]);
    },
  };
}
