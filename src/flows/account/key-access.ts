import { setMaxListeners } from "node:events";
import { setSecretCommand } from "../../core/advice/command-lines.ts";
import type { ConnectionName } from "../../core/connection.ts";
import { windowNamed, type RateLimit } from "../../core/delivery/rate-window.ts";
import type { Clock } from "../../shared/clock.ts";
import { AppError } from "../../shared/errors.ts";
import { fingerprint } from "../../shared/compare-secrets.ts";
import type { Secret } from "../../shared/secret.ts";
import type { Vault } from "../../vault/contract.ts";
import { readSecret } from "../../vault/secrets.ts";
import type { Access } from "../../vendors/contract/access.ts";
import { createKindSlots, type KindSlots } from "./kind-slots.ts";
import { countedCall, createSlots, type Slots, type SlotStore } from "./rate-window.ts";

/** What of a vendor's API opens by a key. */
export interface KeyedApi {
  label: string;
  /** The secret that holds the key. */
  apiKeyName: string;
  rateLimit: RateLimit | null;
}

/**
 * Access to an account by an API key: its token is the key, and all who hold that key share one rate window. Without a
 * key every call ends with `CONFIG_INVALID`.
 */
export function createKeyAccess(
  { clock, store, vault, signal }: { clock: Clock; store: SlotStore; vault: Vault; signal: AbortSignal },
  of: ConnectionName,
  { label, apiKeyName, rateLimit }: KeyedApi,
): Access {
  setMaxListeners(0, signal);
  const place = { name: apiKeyName, org: of.org, environment: of.environment };
  const hint = setSecretCommand(apiKeyName, of);
  let held: { key: Secret; slots: Slots | null; kinds: KindSlots } | null = null;
  const open = async (options: { anew: boolean }) => {
    if (held && !options.anew) return held;
    const key = await readSecret(vault, place, { isOrgs: true });
    const name = `${of.vendor}/key/${fingerprint(key)}`;
    const window = rateLimit && windowNamed(name, rateLimit);
    const kinds = createKindSlots({ store, clock, signal }, name);
    held = { key, slots: window && createSlots({ store, clock }, window), kinds };
    return held;
  };
  return {
    signal,
    // One that was refused may have been replaced meanwhile.
    token: async (options) => (await open({ anew: options?.renewed === true })).key,
    opensBy: "api-key",
    slot: async (limits) => {
      const { slots, kinds } = await open({ anew: false });
      return limits ? await kinds.slot(limits) : await countedCall(slots, signal);
    },
    heed: async (told, limits) => {
      const { slots, kinds } = await open({ anew: false });
      await (limits ? kinds.heed(told, limits) : slots?.heed(told));
    },
    refused: () =>
      new AppError("RECONNECT_NEEDED", `${label} does not take the API key`, {
        hint,
      }),
  };
}
