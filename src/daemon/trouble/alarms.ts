import { type AlertContext, incidentsOf } from "../../flows/watch/alert.ts";
import type { Store } from "../../store/contract/store.ts";

/** Notices that there is something new to alert of, within seconds: the alerts themselves go by their own job. */
export interface Alarms {
  /** To be called about once a second. Throws `STORE_UNAVAILABLE`. */
  look(): Promise<void>;
}

/** Looking costs a look at all that is stuck: no more than a twentieth of the time goes into it. */
const RESTS = 20;
/** What only the passing of time makes an incident is looked for so often. */
const LOOK_UNCHANGED_MS = 3_000;

export function createAlarms(
  context: AlertContext & { store: Pick<Store, "watch"> },
  onNew: () => void,
): Alarms {
  let known = new Set<string>();
  let restUntilMs = 0;
  let unchangedUntilMs = 0;
  context.store.watch(() => {
    unchangedUntilMs = 0;
  });
  return {
    look: async () => {
      const beganMs = performance.now();
      if (beganMs < restUntilMs || beganMs < unchangedUntilMs) return;
      unchangedUntilMs = beganMs + LOOK_UNCHANGED_MS;
      const keys = (await incidentsOf(context)).map(({ key }) => key);
      if (keys.some((key) => !known.has(key))) onNew();
      known = new Set(keys);
      restUntilMs = performance.now() + RESTS * (performance.now() - beganMs);
    },
  };
}
