import { AppError } from "../shared/errors.ts";
import type { Vault } from "./contract.ts";
import { openVaultIn, type VaultOptions } from "./open.ts";
import type { SharedVault } from "./postgres/open.ts";
import { findKeySource } from "./sealed/key-source.ts";
import { noKeySource } from "./sealed/unlock.ts";

/** How many items would go along. Throws `VAULT_UNAVAILABLE` where they cannot be read, or could not be sealed elsewhere. */
export async function countCarried(from: Vault, options: VaultOptions): Promise<number> {
  const names = await from.names("");
  // Who reads an empty vault makes its key.
  if (names.length === 0) return 0;
  await from.read(names);
  if (!findKeySource(options)) throw noKeySource();
  return names.length;
}

/**
 * Puts what a vault holds into one in a database, sealed with this machine's key, and reads it back. What only the database's
 * holds stays: somebody may have set it there beforehand. Returns how many items went along. Throws `VAULT_UNAVAILABLE`, before anything is written where the database's vault has another key.
 */
export async function carryVault(from: Vault, shared: SharedVault, options: VaultOptions): Promise<number> {
  const names = await from.names("");
  const [values, times] = [await from.read(names), await from.setAt("")];
  const to = openVaultIn(shared, options);
  if (names.length === 0) return 0;
  await to.write(values);
  await shared.place.alone(names, (rows) => {
    for (const [name, at] of times) rows.stamp(name, at);
  });
  const found = await to.read(names);
  const differing = names.filter((name) => found.get(name)?.reveal() !== values.get(name)?.reveal());
  if (differing.length === 0) return names.length;
  throw new AppError(
    "VAULT_UNAVAILABLE",
    `${differing.length} items of the vault are not in the database as they were written`,
    { hint: "Find out who else writes there, then run the same command again." },
  );
}
