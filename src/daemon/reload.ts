import { digestOfValues } from "../shared/config-digest.ts";
import { isAppError } from "../shared/errors.ts";
import type { Log } from "../shared/log.ts";
import type { Notify } from "../systemd/notify.ts";

interface ReloadContext {
  log: Log;
  /** The service manager waits for the second when it heard the first. */
  notify: Notify;
  /** Throws `CONFIG_INVALID`, and all stays as it was. */
  reload(): { text: string | null; levelFrom: string; keysForRestart: string[] };
  rereadSecrets(): Promise<void>;
  rereadCertificate(): Promise<void>;
  /** The configuration with this digest is the one that runs. */
  runs(digest: string | null): Promise<void>;
}

/** What SIGHUP asks for: secrets, certificate and log level anew, and for what else changed a word that it takes a restart. */
export function reloading(context: ReloadContext): () => void {
  let last: Promise<void> = Promise.resolve();
  return () => {
    last = last.then(() => reloadOnce(context));
  };
}

async function reloadOnce({
  log,
  notify,
  reload,
  rereadSecrets,
  rereadCertificate,
  runs,
}: ReloadContext): Promise<void> {
  notify({ RELOADING: "1" });
  try {
    const { text, levelFrom, keysForRestart } = reload();
    if (keysForRestart.length > 0)
      log.warn("restart needed for what changed in the configuration", { keys: keysForRestart.join(" ") });
    await runs(text === null ? null : digestOfValues(text, levelFrom));
    log.info("log level and secrets are read anew");
  } catch (error) {
    if (!isAppError(error)) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    log.error("the configuration cannot be taken: it stays as it was", { reason: error.message, ...hint });
  }
  await rereadSecrets();
  await rereadCertificate();
  notify({ READY: "1" });
}
