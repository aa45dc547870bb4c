import { setMaxListeners } from "node:events";
import { type Connection, connectionName } from "../../core/connection.ts";
import type { Tokens } from "../../oauth/tokens.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Store } from "../../store/contract/store.ts";
import type { Vault } from "../../vault/contract.ts";
import type { Destination } from "../../vendors/contract/destination.ts";
import type { Access } from "../../vendors/contract/access.ts";
import { readSecret } from "../../vault/secrets.ts";
import { connectCommand, setSecretCommand } from "../../core/advice/command-lines.ts";
import { AppError } from "../../shared/errors.ts";
import type { Secret } from "../../shared/secret.ts";
import { notConfirmed } from "../../core/advice/not-confirmed.ts";
import { createTokenNotes } from "./refusal.ts";
import { createKindSlots } from "./kind-slots.ts";
import { countedCall, createSlots, type SlotStore } from "./rate-window.ts";
import { windowFor } from "../../core/delivery/rate-window.ts";

/**
 * Ties a connection's account to live tokens and to its slots in the vendor's rate window. Throws `CONFIG_INVALID` where
 * the configuration speaks another contract to it by now.
 */
export function createAccess(
  {
    clock,
    store,
    vault,
    tokens,
    signal,
  }: {
    clock: Clock;
    store: SlotStore & Pick<Store, "saveConnection" | "hold">;
    vault: Vault;
    tokens: Tokens;
    signal: AbortSignal;
  },
  connection: Connection,
  issuer: Destination,
): Access {
  refuseOtherProfile(issuer, connection);
  // As many calls as the window allows listen to it at once.
  setMaxListeners(0, signal);
  const { clientSecretName: name, isOrgsClientId: isOrgs } = issuer.authorization;
  const { org, environment } = connection;
  const clientSecret = () => readSecret(vault, { name, org, environment }, { isOrgs });
  const opensByKey = connection.method === "api-key";
  const window = windowFor(issuer, connection);
  const slots = window && createSlots({ store, clock }, window);
  const kinds = createKindSlots(
    { store, clock, signal },
    `${issuer.vendor}/${connection.account?.id ?? "-"}`,
  );
  const { timeZone } = connection.account ?? {};
  const notes = createTokenNotes({ store, clock }, connection);
  return {
    signal,
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(opensByKey ? { opensBy: "api-key" as const, refused: () => keyRefused(issuer, connection) } : {}),
    token: async (options) => {
      if (!connection.isConfirmed) throw notConfirmed(connection);
      let problem: unknown = null;
      const wasRefused = notes.isRefused();
      try {
        if (opensByKey) return await readKey(vault, issuer, connection);
        return await tokens.token({
          connection: connectionName(connection),
          issuer,
          clientSecret,
          notedExpiry: connection.tokenExpiresAt,
          isConnected: connection.state === "connected",
          renewed: options?.renewed,
          isDue: wasRefused,
          onLate: (error) => {
            problem = error;
          },
        });
      } catch (error) {
        problem = error;
        throw error;
      } finally {
        await (problem === null ? notes.passed(wasRefused) : notes.met(problem));
      }
    },
    slot: (limits) => (limits ? kinds.slot(limits) : countedCall(slots, signal)),
    heed: async (told, limits) => {
      await (limits ? kinds.heed(told, limits) : slots?.heed(told));
    },
  };
}

/** Its tokens were made for the paths and scopes of that contract. */
function refuseOtherProfile({ vendor, profile }: Destination, connection: Connection): void {
  if ((connection.profile ?? null) === (profile ?? null)) return;
  const name = connectionName(connection);
  throw new AppError(
    "CONFIG_INVALID",
    `${name} was connected in another profile than ${vendor}.profile says`,
    {
      hint: `Set ${vendor}.profile back, or connect anew: ${connectCommand(connection)}`,
    },
  );
}

/** Read for each call: one that was refused may have been replaced meanwhile. */
async function readKey(
  vault: Vault,
  { authorization }: Destination,
  connection: Connection,
): Promise<Secret> {
  const { org, environment } = connection;
  const name = authorization.apiKeyName ?? "";
  return await readSecret(vault, { name, org, environment }, { isOrgs: true });
}

function keyRefused({ label, authorization }: Destination, connection: Connection): AppError {
  return new AppError("RECONNECT_NEEDED", `${label} does not take the API key`, {
    hint: `Set the key anew: ${setSecretCommand(authorization.apiKeyName ?? "", connection)} and then: ${connectCommand(connection)}`,
  });
}
