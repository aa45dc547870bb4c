import { type Connection, connectionName } from "../../core/connection.ts";
import { freshUntil, loginOf, type TokenSet } from "../../oauth/token-set.ts";
import type { Tokens } from "../../oauth/tokens.ts";
import { AppError, isAppError } from "../../shared/errors.ts";
import type { Store } from "../../store/contract/store.ts";
import type { AccountContext } from "../account/context.ts";
import { connectCommand } from "../../core/advice/command-lines.ts";
import { markMustReconnect } from "../account/must-reconnect.ts";

export interface Refreshed {
  /** By this run. */
  refreshed: number;
  failed: { connection: Connection; problem: AppError }[];
  /** When the first of them may be due again, ms since the epoch. */
  freshUntil: number;
}

/** Keeps tokens ahead of their expiry, also where nothing is delivered; those that are known to be unreadable are left alone. */
export async function refreshAll(
  account: AccountContext & { tokens(): Promise<Tokens> },
  store: Store,
  signal: AbortSignal,
): Promise<Refreshed> {
  const outcome: Refreshed = { refreshed: 0, failed: [], freshUntil: Number.POSITIVE_INFINITY };
  const connections = (await store.connections()).filter(
    ({ state, vaultTrouble, isConfirmed }) => state === "connected" && vaultTrouble === null && isConfirmed,
  );
  if (connections.length === 0) return outcome;
  for (const { connection, seen } of await inTurn(await account.tokens(), connections, account.clock.now())) {
    try {
      const begunAt = account.clock.now();
      const token = await (await account.access(connection, { store, signal })).token();
      const isAsSeen = seen !== null && token.reveal() === seen.accessToken.reveal();
      const set = isAsSeen ? seen : await (await account.tokens()).peek(connectionName(connection));
      if (set) outcome.freshUntil = Math.min(outcome.freshUntil, freshUntil(set));
      const tokenExpiresAt = set?.expiresAt ?? null;
      // One that ends before the noted one is of an older copy of the vault, and proves it when it is refused.
      if (
        tokenExpiresAt === connection.tokenExpiresAt ||
        (tokenExpiresAt ?? 0) < (connection.tokenExpiresAt ?? 0)
      )
        continue;
      const { authorization } = await account.destination(connection);
      const login = set && loginOf(set, authorization);
      await store.saveConnection(connection, { tokenExpiresAt, login });
      // Else somebody else did, and the log had not heard of it.
      if (set !== null && set.obtainedAt >= begunAt) outcome.refreshed += 1;
    } catch (error) {
      if (!isAppError(error)) throw error;
      if (error.code === "RECONNECT_NEEDED") await markMustReconnect(store, connection, error);
      outcome.failed.push({ connection, problem: error });
    }
  }
  return outcome;
}

/**
 * All tokens in one request. Each refresh has every token after it asked of the vault anew, so those that need none go
 * before; of the others the one that ends first.
 */
async function inTurn(tokens: Tokens, connections: readonly Connection[], now: number) {
  const sets = await tokens.peekAll(connections.map(connectionName)).catch((error: unknown) => {
    if (!isAppError(error, "VAULT_UNAVAILABLE")) throw error;
    // One that was altered spoils it for all; each tells for itself then.
    return new Map<string, TokenSet | null>();
  });
  const seen = connections.map((connection) => {
    const set = sets.get(connectionName(connection)) ?? null;
    return { connection, seen: set, isFresh: set !== null && freshUntil(set) > now };
  });
  const soonestFirst = seen
    .filter(({ isFresh }) => !isFresh)
    .sort((a, b) => (a.seen?.expiresAt ?? 0) - (b.seen?.expiresAt ?? 0));
  return [...seen.filter(({ isFresh }) => isFresh), ...soonestFirst];
}

/** Why a run that refreshed all it could has not made every login good; null when no vendor refuses our tokens. */
export function reconnectNeeded(connections: readonly Connection[]): AppError | null {
  const lost = connections.filter(({ state }) => state === "must_reconnect");
  if (lost.length === 0) return null;
  const names = lost.map(connectionName).join(", ");
  return new AppError(
    "RECONNECT_NEEDED",
    `${names} must reconnect: the vendor no longer accepts our tokens`,
    {
      hint: lost.map((connection) => connectCommand(connection)).join("\n"),
    },
  );
}
