import * as v from "valibot";
import { secret } from "../../shared/secret.ts";
import type { KeptErasure, Person } from "../../store/contract/store.ts";
import type { Vault } from "../../vault/contract.ts";

/**
 * What the vault keeps of an erasure: its marks, so that a log that is restored where the old one cannot be read heeds them;
 * and, until every account was asked, what the vendors know the person by.
 */
const PREFIX = "erasure/";

const texts = v.array(v.string());
const Place = v.object({ candidateId: v.string(), jobId: v.nullable(v.string()) });
const Told = v.array(
  v.object({
    connectionId: v.number(),
    subjects: texts,
    records: texts,
    // An erasure that was begun by an older version has neither.
    receipts: v.optional(texts, []),
    places: v.optional(v.array(Place), []),
  }),
);
const Item = v.object({
  at: v.number(),
  marks: v.array(v.string()),
  remote: v.nullable(v.object({ addresses: v.array(v.string()), told: Told })),
});

export interface VaultErasure extends KeptErasure {
  /** What vendors are still to be asked; null where nobody asked for that, or all is done. */
  remote: Pick<Person, "addresses" | "told"> | null;
}

/** Throws `VAULT_UNAVAILABLE`. */
export async function keepInVault(
  vault: Pick<Vault, "write">,
  { org, person, ...rest }: VaultErasure,
): Promise<void> {
  await vault.write(new Map([[itemOf(org, person), secret(JSON.stringify(rest))]]));
}

export async function forgetInVault(vault: Pick<Vault, "write">, org: string, person: string): Promise<void> {
  await vault.write(new Map([[itemOf(org, person), null]]));
}

/** Null where there is none. Throws `VAULT_UNAVAILABLE`. */
export async function findInVault(
  vault: Pick<Vault, "read">,
  org: string,
  person: string,
): Promise<VaultErasure | null> {
  const item = itemOf(org, person);
  const text = (await vault.read([item])).get(item)?.reveal();
  return text === undefined ? null : { org, person, ...v.parse(Item, JSON.parse(text)) };
}

/** Of all orgs. Throws `VAULT_UNAVAILABLE`. */
export async function allInVault(vault: Pick<Vault, "read" | "names">): Promise<VaultErasure[]> {
  const names = await vault.names(PREFIX);
  const found = await Promise.all(
    names.map((name) => {
      const [, org = "", person = ""] = name.split("/");
      return findInVault(vault, org, person);
    }),
  );
  return found.filter((each) => each !== null);
}

const itemOf = (org: string, person: string) => `${PREFIX}${org}/${person}`;
