import { createHmac, randomBytes } from "node:crypto";
import { addressName, type Marks, namesIn, type PersonName } from "../../core/erasure.ts";
import type { NewEvent } from "../../core/event.ts";
import { isAppError } from "../../shared/errors.ts";
import { secret } from "../../shared/secret.ts";
import type { AppendResult, Store } from "../../store/contract/store.ts";
import type { Vault } from "../../vault/contract.ts";

/** An erased person is known by a keyed hash alone. The key rests in the vault, where no copy of the log brings it along. */
const KEY_ITEM = "erasure-key";
const KEY_BYTES = 32;

export type Marker = (names: readonly PersonName[]) => Marks;

/** Null where nobody was ever erased, or the key is gone with an older vault. Throws `VAULT_UNAVAILABLE`. */
export async function readMarker(vault: Pick<Vault, "read">): Promise<Marker | null> {
  const key = (await vault.read([KEY_ITEM])).get(KEY_ITEM);
  return key ? markerOf(key.reveal()) : null;
}

/** Makes the key where there is none. Throws `VAULT_UNAVAILABLE`. */
export async function makeMarker(vault: Pick<Vault, "read" | "write" | "exclusively">): Promise<Marker> {
  return await vault.exclusively(KEY_ITEM, async () => {
    const known = await readMarker(vault);
    if (known) return known;
    const key = randomBytes(KEY_BYTES).toString("hex");
    await vault.write(new Map([[KEY_ITEM, secret(key)]]));
    return markerOf(key);
  });
}

function markerOf(key: string): Marker {
  const bytes = Buffer.from(key, "hex");
  return (names) => names.map((name) => createHmac("sha256", bytes).update(name).digest("hex"));
}

type KeyVault = Pick<Vault, "read" | "revision">;

/** Marks as of the key that counts now; it is read anew when anything in the vault changes. */
export function createMarking(vault: () => Promise<KeyVault>) {
  let known: { marker: Marker | null; revision: number } | null = null;
  const read = async (): Promise<Marker | null> => {
    const opened = await vault();
    const revision = opened.revision();
    if (known?.revision === revision) return known.marker;
    try {
      known = { marker: await readMarker(opened), revision };
    } catch (error) {
      // What was read once stays in memory.
      if (known?.marker && isAppError(error, "VAULT_UNAVAILABLE")) return known.marker;
      throw error;
    }
    return known.marker;
  };
  return {
    /** Without a key nobody can be known again. Throws `VAULT_UNAVAILABLE`. */
    marksOf: async (names: readonly PersonName[]): Promise<Marks> => (await read())?.(names) ?? [],
    isRead: (): boolean => known !== null,
  };
}

/** Whether a person was erased from an org, and is refused. Throws `VAULT_UNAVAILABLE` where nobody can tell. */
export function createIsErased({
  store,
  vault,
}: {
  store: Pick<Store, "erasedAt">;
  vault: () => Promise<KeyVault>;
}): (org: string, address: string) => Promise<boolean> {
  const marking = createMarking(vault);
  return async (org, address) => {
    const [mark] = await marking.marksOf([addressName(org, address)]);
    return mark !== undefined && (await store.erasedAt(mark)) !== null;
  };
}

/**
 * A store's `append` that lets it know an erased person's events. The vault is asked for the key only once the store says
 * that anybody was erased. Throws `VAULT_UNAVAILABLE` where the key cannot be read then, with none of the unmarked stored.
 */
export function appendMarked(
  store: Pick<Store, "append">,
  vault: () => Promise<KeyVault>,
): Pick<Store, "append"> {
  const marking = createMarking(vault);
  const marked = async (events: readonly NewEvent[]): Promise<NewEvent[]> =>
    await Promise.all(
      events.map(async (event) => ({ ...event, marks: await marking.marksOf(namesIn(event)) })),
    );
  return {
    append: async (events) => {
      const results = await store.append(marking.isRead() ? await marked(events) : events);
      const unmarked = events.filter((_, index) => results[index]?.outcome === "unmarked");
      if (unmarked.length === 0) return results;
      const again: AppendResult[] = await store.append(await marked(unmarked));
      return results.map((result) => (result.outcome === "unmarked" ? (again.shift() ?? result) : result));
    },
  };
}
