import { tellSecretWarnings } from "../flows/watch/secret-warnings.ts";
import { isAppError } from "../shared/errors.ts";
import { rememberingSecrets, type SecretReader } from "../vault/secrets.ts";
import type { OwnProcess, ServeContext, ServeParts } from "./context.ts";
import { createPresence, type Presence } from "./presence.ts";
import { createWebhookSecrets, type WebhookSecrets } from "./receiving/webhook-secrets.ts";
import { createFaults, type Faults } from "./trouble/faults.ts";
import { createSecretWatch, type SecretWatch } from "./trouble/secret-watch.ts";
import { createStoreTrouble, type StoreTrouble } from "./trouble/store-trouble.ts";
import { createVaultWatch, type VaultWatch } from "./trouble/vault-watch.ts";
import { createWriteWatch, type WriteWatch } from "./trouble/write-watch.ts";

/** All that knows whether the service can do its work: what it stands on, and who is told when that gives way. */
export interface Watches {
  writes: WriteWatch;
  secretWatch: SecretWatch;
  faults: Faults;
  trouble: StoreTrouble;
  presence: Presence;
  vaultWatch: VaultWatch;
  /** What is kept in memory for the time when the vault cannot be read. */
  secrets: SecretReader;
  secretsOf: WebhookSecrets;
}

export function createWatches(
  context: ServeContext,
  { store, vault, sources, certificate }: ServeParts,
  own: OwnProcess,
): Watches {
  const { clock, log } = context;
  const secretsOf = createWebhookSecrets({
    vault,
    clock,
    log,
    warn: (warnings) => tellSecretWarnings(context.stateDir, warnings),
  });
  const writes = createWriteWatch({ store, clock, onChange: () => faults.look() });
  const secretWatch = createSecretWatch({ ...context, store, sources, secretsOf });
  const faults = createFaults({
    ...context,
    store,
    writes,
    secrets: secretWatch,
    onUsable: () => void presence.tell(),
  });
  const told = createStoreTrouble({ clock, log });
  const trouble: StoreTrouble = {
    hear: (error) => {
      // What the store says of itself it also takes back itself.
      if (isAppError(error, "STORE_UNAVAILABLE") && faults.isToldByStore(error)) return;
      told.hear(error);
      writes.hear(error);
    },
    passed: told.passed,
  };
  const presence = createPresence({ ...context, store, trouble, certificate }, own);
  const secrets = rememberingSecrets(vault);
  const readWebhookSecrets = async () => {
    for (const source of sources) await secretsOf(source, { anew: true });
  };
  const vaultWatch = createVaultWatch({ ...context, store, vault, secrets, trouble, readWebhookSecrets });
  return { writes, secretWatch, faults, trouble, presence, vaultWatch, secrets, secretsOf };
}
