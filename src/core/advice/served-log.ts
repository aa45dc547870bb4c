import { AppError } from "../../shared/errors.ts";

/** What cannot be done to a log that a service writes. */
export function servedLog(): AppError {
  return new AppError("STORE_UNAVAILABLE", "serve runs on this log", {
    hint: "Stop serve first (under systemd: systemctl stop jc-integrations), type this again, then start it.",
  });
}
