import { setMaxListeners } from "node:events";
import { type Connection, connectionName } from "../../core/connection.ts";
import type { Tokens } from "../../oauth/tokens.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Store } from "../../store/contract/store.ts";
import type { Vault } from "../../vault/contract.ts";
import type { Destination } from "../../vendors/contract/destination.ts";
import type { Access } from "../../vendors/contract/access.ts";
import { readSecret } from "../../vault/secrets.ts";
import { notConfirmed } from "../../core/advice/not-confirmed.ts";
import { createTokenNotes } from "./refusal.ts";
import { countedCall, createSlots, type SlotStore } from "./rate-window.ts";
import { windowFor } from "../../core/delivery/rate-window.ts";

/** Ties a connection's account to live tokens and to its slots in the vendor's rate window. */
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
  // As many calls as the window allows listen to it at once.
  setMaxListeners(0, signal);
  const { clientSecretName: name } = issuer.authorization;
  const clientSecret = () =>
    readSecret(vault, { name, org: connection.org, environment: connection.environment });
  const window = windowFor(issuer, connection);
  const slots = window && createSlots({ store, clock }, window);
  const { timeZone } = connection.account ?? {};
  const notes = createTokenNotes({ store, clock }, connection);
  return {
    signal,
    ...(timeZone === undefined ? {} : { timeZone }),
    token: async (options) => {
      if (!connection.isConfirmed) throw notConfirmed(connection);
      let problem: unknown = null;
      try {
        return await tokens.token({
          connection: connectionName(connection),
          issuer,
          clientSecret,
          notedExpiry: connection.tokenExpiresAt,
          renewed: options?.renewed,
          onLate: (error) => {
            problem = error;
          },
        });
      } catch (error) {
        problem = error;
        throw error;
      } finally {
        await (problem === null ? notes.passed() : notes.met(problem));
      }
    },
    slot: () => countedCall(slots, signal),
    heed: async (told) => {
      await slots?.heed(told);
    },
  };
}
