import { type IncidentContext, lookForIncidents } from "../../flows/alerting/incidents.ts";
import type { Store } from "../../store/contract/store.ts";

/**
 * Notices within seconds that a change of the log is something new to alert of: the alerts themselves go by their own job,
 * which also finds what only the passing of time makes an incident.
 */
export interface Alarms {
  /** To be called about once a second. Throws `STORE_UNAVAILABLE`. Nothing where nothing has changed. */
  look(): Promise<void> | undefined;
  /** Something changed that was not looked at yet. */
  isWaiting(): boolean;
}

/** Looking costs a look at all that is stuck: no more than a twentieth of the time goes into it. */
const RESTS = 20;

export function createAlarms(
  context: IncidentContext & { store: Pick<Store, "watch"> },
  onNew: () => void,
): Alarms {
  let known = new Set<string>();
  let restUntilMs = 0;
  let isChanged = true;
  context.store.watch(() => {
    isChanged = true;
  });
  const lookNow = async () => {
    const beganMs = performance.now();
    const { incidents } = await lookForIncidents(context);
    const keys = incidents.map(({ key }) => key);
    if (keys.some((key) => !known.has(key))) onNew();
    known = new Set(keys);
    restUntilMs = performance.now() + RESTS * (performance.now() - beganMs);
  };
  return {
    look: () => {
      if (!isChanged || performance.now() < restUntilMs) return;
      isChanged = false;
      return lookNow().catch((error: unknown) => {
        isChanged = true;
        throw error;
      });
    },
    isWaiting: () => isChanged,
  };
}
