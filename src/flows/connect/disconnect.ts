import { type Connection, connectionName } from "../../core/connection.ts";
import { type Revocation, revokeToken } from "../../oauth/endpoint/revoke.ts";
import type { Tokens } from "../../oauth/tokens.ts";
import type { Clock } from "../../shared/clock.ts";
import { AppError, isAppError } from "../../shared/errors.ts";
import type { Http } from "../../shared/http.ts";
import type { Store } from "../../store/contract/store.ts";
import type { Vault } from "../../vault/contract.ts";
import type { Destination } from "../../vendors/contract/destination.ts";
import type { Access } from "../../vendors/contract/access.ts";
import { noteReleased } from "./consent-release.ts";
import { readSecret } from "../../vault/secrets.ts";
import { possessive } from "../../shared/text.ts";

/** Revokes on the vendor's side, then forgets. Open pushes are held until somebody connects again. */
export interface DisconnectContext {
  store: Store;
  clock: Pick<Clock, "now">;
  http: Http;
  vault: Vault;
  tokens: Tokens;
  destination: Destination;
  access: Access;
}

export interface Disconnected {
  /** Null when there was nothing left to revoke. */
  revocation: Revocation | null;
  /** What became of the app in the account; null when that was not asked for. */
  uninstall: { kind: "done" } | { kind: "failed"; reason: string } | null;
  held: number;
  /** Links for consent that were still open. */
  linksVoided: number;
}

/**
 * Nothing is sent any more from its first step on; run again after a crash, it finishes the rest. Throws `VAULT_UNAVAILABLE` before anything is changed.
 */
export async function disconnect(
  context: DisconnectContext,
  connection: Connection,
  options: { uninstall: boolean },
): Promise<Disconnected> {
  const { store, clock, tokens, destination } = context;
  if (options.uninstall && !destination.uninstall) throw noUninstall(destination);
  const set = await tokens.peek(connectionName(connection));
  const linksVoided = await store.endConsents({ outcome: "voided", connection }, clock.now());
  if (!set && !options.uninstall && connection.state === "not_connected")
    return { revocation: null, uninstall: null, held: 0, linksVoided };
  await noteReleased({ store }, connection);
  const held = (await store.hold(connection.id, { cause: "disconnected" })) ?? 0;
  const uninstall = options.uninstall ? await uninstallApp(context, { hasTokens: set !== null }) : null;
  const revocation = await ended(context, connection, set?.refreshToken ?? null);
  await tokens.forget(connectionName(connection));
  await store.saveConnection(connection, {
    state: "not_connected",
    banner: null,
    tokenExpiresAt: null,
    knownFields: null,
    leftOut: [],
    outage: null,
    refusal: null,
  });
  return { revocation, uninstall, held, linksVoided };
}

/** What an app's credentials or a key open, only its admin can end. */
async function ended(
  context: DisconnectContext,
  connection: Connection,
  refreshToken: Parameters<typeof revoke>[2] | null,
): Promise<Revocation> {
  if (refreshToken) return await revoke(context, connection, refreshToken);
  return { kind: connection.method ? "not_offered" : "revoked" };
}

async function revoke(
  { http, vault, destination, access }: DisconnectContext,
  connection: Connection,
  refreshToken: Parameters<typeof revokeToken>[1]["refreshToken"],
): Promise<Revocation> {
  const name = destination.authorization.clientSecretName;
  try {
    const clientSecret = await readSecret(vault, {
      name,
      org: connection.org,
      environment: connection.environment,
    });
    const { signal } = access;
    return await revokeToken({ http }, { issuer: destination, clientSecret, refreshToken, signal });
  } catch (error) {
    if (isAppError(error, "CONFIG_INVALID")) return { kind: "failed", reason: error.message };
    throw error;
  }
}

async function uninstallApp(
  { destination, access }: DisconnectContext,
  { hasTokens }: { hasTokens: boolean },
): Promise<Disconnected["uninstall"]> {
  try {
    await destination.uninstall?.(access);
    return { kind: "done" };
  } catch (error) {
    if (isAppError(error) && (error.code !== "VAULT_UNAVAILABLE" || !hasTokens))
      return { kind: "failed", reason: error.message };
    throw error;
  }
}

function noUninstall({ label }: Destination): AppError {
  return new AppError("USAGE", `${label} offers no way to remove the app from here`, {
    hint: `Remove it in ${possessive(label)} settings, then disconnect without --uninstall.`,
  });
}
