import type { SourceSecret } from "../../core/source-secret.ts";
import { weaknessesOf } from "../../core/weak-secrets.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";
import type { Vault } from "../../vault/contract.ts";
import { readWebhookSecrets } from "../../vault/secrets.ts";
import type { Source } from "../../vendors/contract/source.ts";

/** Whether the vault was written to is asked so often: a secret set or removed takes effect without a restart. */
const LOOK_EVERY_MS = 1_000;
/** A keychain that does not answer must not hold up every sender. */
const LOOK_AFTER_FAILURE_MS = 60_000;

interface Known {
  secrets: readonly SourceSecret[];
  /** Of the vault, when they were read; null when it did not tell. */
  revision: number | null;
  lookedAt: number;
  hasFailed: boolean;
}

export type WebhookSecrets = ReturnType<typeof createWebhookSecrets>;

/** The webhook secrets in memory: once read they stay, whatever becomes of the vault, and are read again when it changed. */
export function createWebhookSecrets({
  vault,
  clock,
  log,
  warn,
}: {
  vault: Vault;
  clock: Pick<Clock, "now">;
  log: Log;
  /** Hears what is wrong with them, each time that they were read. */
  warn(warnings: readonly string[]): void;
}) {
  const held = new Map<string, Known>();
  /** What the journal knows of: those that exist go on. */
  const weak = new Map<string, readonly string[]>();
  const reading = new Map<string, Promise<readonly SourceSecret[]>>();

  const read = (source: Source): Promise<readonly SourceSecret[]> => {
    const running = reading.get(source.id);
    if (running) return running;
    // Read before them: what is written meanwhile makes them old.
    const revision = revisionOf(vault);
    const started = readWebhookSecrets(vault, source.secretName)
      .then((secrets) => {
        const before = new Set(weak.get(source.id));
        const now = weaknessesOf(source.secretName, secrets);
        for (const reason of now) if (!before.has(reason)) log.warn("a webhook secret is weak", { reason });
        weak.set(source.id, now);
        warn([...weak.values()].flat());
        held.set(source.id, { secrets, revision, lookedAt: clock.now(), hasFailed: false });
        return secrets;
      })
      .finally(() => reading.delete(source.id));
    reading.set(source.id, started);
    return started;
  };

  const secretsOf = async (
    source: Source,
    { now = false, anew = false }: { now?: boolean; anew?: boolean } = {},
  ): Promise<readonly SourceSecret[]> => {
    const known = held.get(source.id);
    if (!known || anew) return await read(source);
    const waitMs = known.hasFailed ? LOOK_AFTER_FAILURE_MS : now ? 0 : LOOK_EVERY_MS;
    if (Math.abs(clock.now() - known.lookedAt) < waitMs) return known.secrets;
    const revision = revisionOf(vault);
    Object.assign(known, { lookedAt: clock.now(), hasFailed: revision === null });
    if (revision === null || revision === known.revision) return known.secrets;
    return await read(source).catch(() => {
      Object.assign(known, { lookedAt: clock.now(), hasFailed: true });
      return known.secrets;
    });
  };
  return Object.assign(secretsOf, {
    revision: () => revisionOf(vault),
    /** Anyone may ask: a vault that could never be read is not asked again for it. */
    hasAny: async (source: Source): Promise<boolean> => {
      const known = held.get(source.id);
      if (!known || known.secrets.length > 0) return known !== undefined;
      return (await secretsOf(source, { now: true })).length > 0;
    },
  });
}

function revisionOf(vault: Vault): number | null {
  try {
    return vault.revision();
  } catch {
    return null;
  }
}
