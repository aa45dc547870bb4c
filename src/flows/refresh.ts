import { connectionName } from "../core/connection.ts";
import { loginOf } from "../oauth/token-set.ts";
import type { Tokens } from "../oauth/tokens.ts";
import { isAppError } from "../shared/errors.ts";
import type { Store } from "../store/contract.ts";
import type { Vendors } from "./deliver-all.ts";
import { markMustReconnect } from "./must-reconnect.ts";

/** Keeps tokens ahead of their expiry, also where nothing is delivered. Returns what could not be refreshed, in words. */
export async function refreshAll(
  vendors: Vendors & { tokens(): Promise<Tokens> },
  store: Store,
  signal: AbortSignal,
): Promise<{ refreshed: number; failed: string[] }> {
  const outcome = { refreshed: 0, failed: [] as string[] };
  for (const connection of await store.connections()) {
    if (connection.state !== "connected") continue;
    const destination = await vendors.destination(connection);
    try {
      await (await vendors.access(connection, { store, signal })).token();
      const set = await (await vendors.tokens()).peek(connectionName(connection));
      const tokenExpiresAt = set?.expiresAt ?? null;
      if (tokenExpiresAt === connection.tokenExpiresAt) continue;
      const login = set && loginOf(set, destination.authorization);
      await store.saveConnection({ ...connection, subject: destination.subject }, { tokenExpiresAt, login });
      outcome.refreshed += 1;
    } catch (error) {
      if (!isAppError(error)) throw error;
      if (error.code === "RECONNECT_NEEDED") await markMustReconnect(store, destination, connection);
      outcome.failed.push(error.message);
    }
  }
  return outcome;
}
