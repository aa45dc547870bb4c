import type { Clock } from "../../shared/clock.ts";
import { isAppError } from "../../shared/errors.ts";
import type { Store } from "../../store/contract/store.ts";
import type { Vault } from "../../vault/contract.ts";

/**
 * Connections whose vendor refused us: left alone until the next tick, unless something was done about it meanwhile, as a
 * secret that was set, or a new consent. Whatever the configuration says now, the next process begins anew.
 */
export interface RefusedDoors {
  isShut(connectionId: number): Promise<boolean>;
  /** `since`: when the delivery began that was refused; `until`: the next tick; ms since the epoch. */
  shut(connectionId: number, door: Door): void;
}

interface Door {
  since: number;
  until: number;
}

export function createRefusedDoors({
  store,
  vault,
  clock,
}: {
  store: Pick<Store, "connection">;
  vault: Pick<Vault, "setAt">;
  clock: Pick<Clock, "now">;
}): RefusedDoors {
  const doors = new Map<number, Door>();
  const mendedAt = async (connectionId: number): Promise<number> => {
    const connection = await store.connection(connectionId);
    const secrets = await vault.setAt("secret/").catch((error: unknown) => {
      if (isAppError(error, "VAULT_UNAVAILABLE")) return new Map<string, number>();
      throw error;
    });
    return Math.max(connection?.connectedAt ?? 0, ...secrets.values());
  };
  return {
    isShut: async (connectionId) => {
      const door = doors.get(connectionId);
      if (!door) return false;
      const now = clock.now();
      if (now >= door.since && now < door.until && (await mendedAt(connectionId)) <= door.since) return true;
      doors.delete(connectionId);
      return false;
    },
    shut: (connectionId, door) => void doors.set(connectionId, door),
  };
}
