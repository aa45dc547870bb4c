import { AppError } from "../../shared/errors.ts";

/** Stops every socket, too, which would start it again; the pattern is for systemd, which knows those that there are. */
export const STOP_SERVICE = "systemctl stop 'jc-integrations*.socket' jc-integrations";

/** What cannot be done to a log that a service writes. */
export function servedLog(): AppError {
  return new AppError("STORE_UNAVAILABLE", "serve runs on this log", {
    hint: `Stop serve first, run this again, then start it. Under systemd it is stopped by: ${STOP_SERVICE}`,
  });
}
