import type { Clock } from "../../shared/clock.ts";
import type { Fields, Log } from "../../shared/log.ts";

/**
 * For what strangers cause, as fast as they like: of each message one line a second at most, which says how many were left
 * out before it.
 */
export type QuietLog = Pick<Log, "warn" | "error">;

const TOLD_EVERY_MS = 1_000;

export function createQuietLog({ log, clock }: { log: Log; clock: Pick<Clock, "now"> }): QuietLog {
  const told = new Map<string, { at: number; leftOut: number }>();
  const quietly =
    (tell: Log["warn"]) =>
    (message: string, fields: Fields = {}) => {
      const last = told.get(message);
      if (last && Math.abs(clock.now() - last.at) < TOLD_EVERY_MS) {
        last.leftOut += 1;
        return;
      }
      const leftOut = last?.leftOut ?? 0;
      tell(message, leftOut > 0 ? { ...fields, leftOut } : fields);
      told.set(message, { at: clock.now(), leftOut: 0 });
    };
  return { warn: quietly(log.warn), error: quietly(log.error) };
}
