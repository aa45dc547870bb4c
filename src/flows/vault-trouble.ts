import type { Connection } from "../core/connection.ts";
import type { Clock } from "../shared/clock.ts";
import { type AppError, isAppError } from "../shared/errors.ts";
import type { Store } from "../store/contract.ts";
import type { Vendors } from "./deliver-all.ts";

/** Tokens that cannot be read now: results are held, nobody is disconnected, and a readable vault releases them. */
export async function holdForVault(
  { store, clock }: { store: Pick<Store, "holdConnected">; clock: Pick<Clock, "now"> },
  { id, connectedAt }: Connection,
  { message, hint }: AppError,
): Promise<number | null> {
  const vaultTrouble = { since: clock.now(), reason: message, fix: hint ?? null };
  return await store.holdConnected(id, { cause: "vault", connectedAt, changes: { vaultTrouble } });
}

/**
 * Releases what was held for want of tokens, where a token can be had again or something else than the vault stands in
 * the way. Returns what still keeps tokens from being read; null when nothing does.
 */
export async function releaseFromVault(
  vendors: Pick<Vendors, "access" | "clock">,
  store: Store,
  { org, signal }: { org?: string; signal: AbortSignal },
): Promise<AppError | null> {
  let first: AppError | null = null;
  for (const connection of await store.connections(org)) {
    if (connection.vaultTrouble === null) continue;
    const problem = await vaultProblemOf(async () => {
      await (await vendors.access(connection, { store, signal })).token();
    });
    if (problem === null) await store.release(connection.id, ["vault"], vendors.clock.now());
    first ??= problem;
  }
  return first;
}

/** Null when it ends well, or with any trouble but the vault's. */
export async function vaultProblemOf(work: () => Promise<unknown>): Promise<AppError | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (!isAppError(error)) throw error;
    return error.code === "VAULT_UNAVAILABLE" ? error : null;
  }
}
