import type { Connection } from "../../core/connection.ts";
import type { Clock } from "../../shared/clock.ts";
import { type AppError, isAppError } from "../../shared/errors.ts";
import type { Store } from "../../store/contract/store.ts";
import type { Access } from "../../vendors/contract/access.ts";
import type { AccountContext } from "./context.ts";

/** Tokens that cannot be read now: results are held, nobody is disconnected, and a readable vault releases them. */
export async function holdForVault(
  { store, clock }: { store: Pick<Store, "hold">; clock: Pick<Clock, "now"> },
  { id, connectedAt }: Connection,
  { message, hint }: AppError,
): Promise<number | null> {
  const vaultTrouble = { since: clock.now(), reason: message, fix: hint ?? null };
  return await store.hold(id, { cause: "vault", connectedAt, changes: { vaultTrouble } });
}

/** Is there a running service that can read the vault? What it can deliver shall not be held. */
export async function isServedElsewhere(store: Pick<Store, "runningServices">): Promise<boolean> {
  return (await store.runningServices()).some((facts) => facts?.vaultTrouble === null);
}

/**
 * The same, found by a command; true when it holds. A running service judges for itself: it may have the key that the
 * command lacks, and what it can deliver shall not be held.
 */
export async function noteVaultTrouble(
  context: { store: Pick<Store, "hold" | "runningServices">; clock: Pick<Clock, "now"> },
  connection: Connection,
  problem: AppError,
): Promise<boolean> {
  if ((await context.store.runningServices()).length > 0) return false;
  return (await holdForVault(context, connection, problem)) !== null;
}

/** Before a command's own calls: throws what keeps tokens from being read and notes it; releases where nothing does. */
export async function requireTokens(
  context: { store: Pick<Store, "hold" | "runningServices" | "release">; clock: Pick<Clock, "now"> },
  connection: Connection,
  access: Pick<Access, "token">,
): Promise<void> {
  const problem = await vaultProblemOf(() => access.token());
  if (problem === null) {
    if (connection.vaultTrouble !== null)
      await context.store.release(connection.id, { held: ["vault"] }, context.clock.now());
    return;
  }
  if (connection.vaultTrouble === null) await noteVaultTrouble(context, connection, problem);
  throw problem;
}

/**
 * Releases what was held for want of tokens, where a token can be had again or something else than the vault stands in
 * the way. Returns what still keeps tokens from being read; null when nothing does.
 */
export async function releaseReadable(
  account: Pick<AccountContext, "access" | "clock">,
  store: Store,
  { org, signal }: { org?: string; signal: AbortSignal },
): Promise<AppError | null> {
  let first: AppError | null = null;
  for (const connection of await store.connections(org)) {
    if (connection.vaultTrouble === null) continue;
    const problem = await tokenProblem(account, { connection, store, signal });
    if (problem === null) await store.release(connection.id, { held: ["vault"] }, account.clock.now());
    first ??= problem;
  }
  return first;
}

/** Before a command delivers: the same, and what is due and cannot go out for want of tokens is held for it. */
export async function releaseFromVault(
  account: Pick<AccountContext, "access" | "clock">,
  store: Store,
  { org, signal }: { org?: string; signal: AbortSignal },
): Promise<AppError | null> {
  const { clock } = account;
  const known = await releaseReadable(account, store, { ...(org === undefined ? {} : { org }), signal });
  const now = clock.now();
  const work = (await store.dueWork(now)).filter(({ dueAt }) => dueAt <= now);
  const due = new Set(work.map(({ connectionId }) => connectionId));
  const found = await Promise.all(
    (await store.connections(org))
      .filter(({ id, vaultTrouble }) => vaultTrouble === null && due.has(id))
      .map(async (connection) => {
        const problem = await tokenProblem(account, { connection, store, signal });
        return problem && (await noteVaultTrouble({ store, clock }, connection, problem)) ? problem : null;
      }),
  );
  return known ?? found.find((problem) => problem !== null) ?? null;
}

function tokenProblem(
  account: Pick<AccountContext, "access">,
  { connection, ...options }: { connection: Connection; store: Store; signal: AbortSignal },
): Promise<AppError | null> {
  return vaultProblemOf(async () => {
    await (await account.access(connection, options)).token();
  });
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
