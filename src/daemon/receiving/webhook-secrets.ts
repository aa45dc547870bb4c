import { readWebhookSecrets } from "../../vault/secrets.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Vault } from "../../vault/contract.ts";
import type { Source } from "../../vendors/contract/source.ts";
import type { SourceSecret } from "../../core/source-secret.ts";

/**
 * The webhook secrets in memory: once read they stay, whatever becomes of the vault, and are read again now and
 * then, so that a secret set or removed at the terminal takes effect without a restart.
 */
const READ_AGAIN_AFTER_MS = 60_000;
/** A forged signature must not make us ask the vault each time, unless somebody wrote to it since. */
const LOOK_AGAIN_AFTER_MS = 2_000;

interface Known {
  secrets: readonly SourceSecret[];
  /** Of the vault, when they were read; null when it did not tell. */
  revision: number | null;
  readAt: number;
}

export function createWebhookSecrets({ vault, clock }: { vault: Vault; clock: Pick<Clock, "now"> }) {
  const held = new Map<string, Known>();
  const reading = new Map<string, Promise<readonly SourceSecret[]>>();

  const read = (source: Source): Promise<readonly SourceSecret[]> => {
    const running = reading.get(source.id);
    if (running) return running;
    // Read before them: what is written meanwhile makes them old.
    const revision = revisionOf(vault);
    const started = readWebhookSecrets(vault, source.secretName)
      .then((secrets) => {
        held.set(source.id, { secrets, revision, readAt: clock.now() });
        return secrets;
      })
      .finally(() => reading.delete(source.id));
    reading.set(source.id, started);
    return started;
  };

  return async (
    source: Source,
    { again }: { again: boolean } = { again: false },
  ): Promise<readonly SourceSecret[]> => {
    const known = held.get(source.id);
    if (!known) return await read(source);
    const age = clock.now() - known.readAt;
    const revision = again ? revisionOf(vault) : null;
    const isWritten = revision !== null && revision !== known.revision;
    if (!isWritten && age < (again ? LOOK_AGAIN_AFTER_MS : READ_AGAIN_AFTER_MS)) return known.secrets;
    return await read(source).catch(() => {
      // A keychain that does not answer must not hold up every sender.
      held.set(source.id, { ...known, readAt: clock.now() });
      return known.secrets;
    });
  };
}

function revisionOf(vault: Vault): number | null {
  try {
    return vault.revision();
  } catch {
    return null;
  }
}
