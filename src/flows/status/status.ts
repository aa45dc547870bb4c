import type { Environment } from "../../core/connection.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Store } from "../../store/contract/store.ts";
import { foundInLog } from "./found-in-log.ts";
import { type MachineContext, machineStatus } from "./machine-status.ts";
import { type OrgContext, orgStatus } from "./org-status.ts";

export interface StatusContext extends OrgContext, MachineContext {
  clock: Pick<Clock, "now">;
  /** Null where there is no store yet: who looks creates none. */
  storeToRead(): Promise<Store | null>;
}

/** One glance at an org and the machine that carries for it: what `status` prints and the admin page will show. */
export async function statusOf(
  context: StatusContext,
  { org, environment }: { org: string; environment: Environment },
) {
  const { storeToRead, clock, vendors } = context;
  const place = { org, environment, now: clock.now() };
  const found = await foundInLog(storeToRead, { ...place, vendors });
  return {
    ...(await orgStatus(context, place, found)),
    ...(await machineStatus(context, place, found)),
  };
}
