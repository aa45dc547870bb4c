import { readWebhookSecrets } from "../flows/secrets.ts";
import type { Clock } from "../shared/clock.ts";
import type { Vault } from "../vault/contract.ts";
import type { Source, SourceSecret } from "../vendors/contract.ts";

/**
 * The webhook secrets in memory: once read they stay, whatever becomes of the vault, and are read again now and
 * then, so that a secret set or removed at the terminal takes effect without a restart.
 */
const READ_AGAIN_AFTER_MS = 60_000;
/** A forged signature must not make us ask the vault each time; one made with a secret set just now must. */
const LOOKS_AGAIN = { times: 10, withinMs: 20_000 };

export function createWebhookSecrets({ vault, clock }: { vault: Vault; clock: Pick<Clock, "now"> }) {
  const held = new Map<string, { secrets: readonly SourceSecret[]; readAt: number }>();
  const reading = new Map<string, Promise<readonly SourceSecret[]>>();

  const read = (source: Source): Promise<readonly SourceSecret[]> => {
    const running = reading.get(source.id);
    if (running) return running;
    const started = readWebhookSecrets(vault, source.secretName)
      .then((secrets) => {
        held.set(source.id, { secrets, readAt: clock.now() });
        return secrets;
      })
      .finally(() => reading.delete(source.id));
    reading.set(source.id, started);
    return started;
  };

  const looks: number[] = [];
  const mayLookAgain = (): boolean => {
    const now = clock.now();
    while (looks[0] !== undefined && looks[0] <= now - LOOKS_AGAIN.withinMs) looks.shift();
    return looks.length < LOOKS_AGAIN.times && looks.push(now) > 0;
  };

  return async (
    source: Source,
    { again }: { again: boolean } = { again: false },
  ): Promise<readonly SourceSecret[]> => {
    const known = held.get(source.id);
    if (!known) return await read(source);
    const isDue = clock.now() - known.readAt >= READ_AGAIN_AFTER_MS || (again && mayLookAgain());
    if (!isDue) return known.secrets;
    return await read(source).catch(() => {
      // A keychain that does not answer must not hold up every sender.
      held.set(source.id, { ...known, readAt: clock.now() });
      return known.secrets;
    });
  };
}
