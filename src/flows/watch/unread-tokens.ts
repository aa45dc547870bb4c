import { vaultWithoutTokens } from "../../core/advice/vault-without-tokens.ts";
import { type Connection, connectionName, tokenItem } from "../../core/connection.ts";
import type { AppError } from "../../shared/errors.ts";

/** How an item of the vault can be read, for who only looks. */
export type LookAtItem = (item: string) => Promise<ItemLook>;

/** `unasked`: it rests in a keychain. */
export type ItemLook = { is: "readable" | "missing" | "unasked" } | { is: "unreadable"; problem: AppError };

/**
 * What keeps the tokens of a connection from being read, looked at now; null where nothing does, or that stands on the
 * connection already. What a service that runs cannot read it notes there itself: it may have a key that we lack.
 */
export async function unreadTokens(
  lookAtItem: LookAtItem,
  connection: Connection,
  { label, isServed }: { label: string; isServed: boolean },
): Promise<AppError | null> {
  const { state, method, vaultTrouble } = connection;
  if (state !== "connected" || method === "api-key" || vaultTrouble !== null) return null;
  const look = await lookAtItem(tokenItem(connectionName(connection)));
  if (look.is === "missing") return vaultWithoutTokens(connection, label);
  return look.is === "unreadable" && !isServed ? look.problem : null;
}
