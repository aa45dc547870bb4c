import { tellSecretWarnings } from "../flows/watch/secret-warnings.ts";
import { type RememberingSecrets, rememberingSecrets } from "../vault/secrets.ts";
import type { OwnProcess, ServeContext, ServeParts } from "./context.ts";
import { createPresence, type Presence } from "./presence.ts";
import { createWebhookSecrets, type WebhookSecrets } from "./receiving/webhook-secrets.ts";
import { createFaults, type Faults } from "./trouble/faults.ts";
import { createSecretWatch, type SecretWatch } from "./trouble/secret-watch.ts";
import { createStoreTrouble, type StoreTrouble } from "./trouble/store-trouble.ts";
import { createVaultWatch, type VaultWatch } from "./trouble/vault-watch.ts";

/** All that knows whether the service can do its work: what it stands on, and who is told when that gives way. */
export interface Watches {
  secretWatch: SecretWatch;
  faults: Faults;
  trouble: StoreTrouble;
  presence: Presence;
  vaultWatch: VaultWatch;
  /** What is kept in memory for the time when the vault cannot be read. */
  secrets: RememberingSecrets;
  secretsOf: WebhookSecrets;
}

const LONGEST_LOOK_MS = 60_000;

export function createWatches(
  context: ServeContext,
  { store, vault, sources, certificate }: ServeParts,
  { own, soon }: { own: OwnProcess; soon(): void },
): Watches {
  const { clock, log } = context;
  const secretsOf = createWebhookSecrets({
    vault,
    clock,
    log,
    warn: (warnings) => tellSecretWarnings(context.stateDir, warnings),
  });
  const trouble = createStoreTrouble({
    store,
    clock,
    log,
    // What the store says of itself it also takes back itself.
    isToldByStore: (error) => faults.isToldByStore(error),
    onChange: () => faults.look(),
  });
  const secretWatch = createSecretWatch({ ...context, store, sources, secretsOf });
  const faults = createFaults({
    ...context,
    store,
    writes: trouble,
    secrets: secretWatch,
    onUsable: () => {
      void presence.tell();
      // The vault may lie in the same database.
      void vaultWatch.look(AbortSignal.timeout(LONGEST_LOOK_MS));
    },
  });
  const presence = createPresence(
    { ...context, store, trouble, certificate, vaultTrouble: () => vaultWatch.standing() },
    own,
  );
  const secrets = rememberingSecrets(vault);
  const readWebhookSecrets = async () => {
    for (const source of sources) await secretsOf(source, { anew: true });
  };
  const vaultWatch = createVaultWatch({
    ...context,
    store,
    vault,
    secrets,
    trouble,
    readWebhookSecrets,
    tell: presence.tell,
    onChange: soon,
  });
  return { secretWatch, faults, trouble, presence, vaultWatch, secrets, secretsOf };
}
