import type { Clock } from "../../shared/clock.ts";
import type { Fields, Log } from "../../shared/log.ts";

/** For what strangers cause, as fast as they like: one line a second at most, which says how many were left out before it. */
export type QuietLog = Pick<Log, "warn" | "error">;

const TOLD_EVERY_MS = 1_000;

export function createQuietLog({ log, clock }: { log: Log; clock: Pick<Clock, "now"> }): QuietLog {
  let toldAt = Number.NEGATIVE_INFINITY;
  let leftOut = 0;
  const quietly =
    (tell: Log["warn"]) =>
    (message: string, fields: Fields = {}) => {
      if (Math.abs(clock.now() - toldAt) < TOLD_EVERY_MS) {
        leftOut += 1;
        return;
      }
      tell(message, leftOut > 0 ? { ...fields, leftOut } : fields);
      toldAt = clock.now();
      leftOut = 0;
    };
  return { warn: quietly(log.warn), error: quietly(log.error) };
}
