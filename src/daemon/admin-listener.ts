import type { Server } from "node:http";
import { setSecretCommand } from "../core/advice/command-lines.ts";
import { METRICS_TOKEN } from "../core/metrics-token.ts";
import { AppError, isAppError } from "../shared/errors.ts";
import type { Secret } from "../shared/secret.ts";
import type { Vault } from "../vault/contract.ts";
import { readSecret, type SecretReader } from "../vault/secrets.ts";
import { isLoopbackAddress } from "./admin/access.ts";
import { createAdminServer } from "./admin/admin-server.ts";
import type { ServeContext, ServeParts } from "./context.ts";
import { closeServer, listen } from "./listen.ts";
import type { Metrics } from "./metrics/metrics.ts";
import { reasonsFor, whyNotReady } from "./readiness.ts";
import { LAST_CALLS_MS, type Stopping } from "./stopping.ts";
import { createQuietLog } from "./trouble/quiet-log.ts";
import type { Watches } from "./watches.ts";

export interface AdminListener {
  address: string;
  end(): Promise<void>;
}

const KEY = "serve.admin_listen";

/**
 * Null where nobody wants one, or where nobody chose its port and another process has it: webhooks do not wait for that.
 * Throws `USAGE` where a port that was chosen is taken, and `CONFIG_INVALID` where others could listen to what it says.
 */
export async function openAdminListener(
  context: ServeContext,
  { vault, certificate }: ServeParts,
  { watches, stopping, metrics }: { watches: Watches; stopping: Stopping; metrics: Metrics },
): Promise<AdminListener | null> {
  const { clock, config, log } = context;
  const wanted = config[KEY];
  if (wanted === "none") return null;
  const token = createToken(vault, watches.secrets);
  const notReady = () => whyNotReady(watches, stopping);
  const server = createAdminServer({
    certificate,
    token,
    notReady,
    reasons: () => reasonsFor(watches, stopping),
    quiet: createQuietLog({ log, clock }),
    scrape: () => metrics.scrape({ isReady: notReady() === null }),
  });
  const address = await listen(server, { address: wanted, key: KEY }).catch((error: unknown) => {
    if (!isAppError(error, "USAGE") || config.origins[KEY] !== "default") throw error;
    log.warn(`no metrics are served: ${error.message}`, { hint: error.hint ?? "" });
    return null;
  });
  if (address === null) return null;
  const isExposed = isBoundElsewhere(server);
  if (isExposed && certificate === null) {
    server.close();
    throw exposed(wanted);
  }
  if (isExposed && (await token()) === null)
    log.warn("the admin listener tells other machines nothing: no token is set", {
      hint: setSecretCommand(METRICS_TOKEN.name),
    });
  return { address, end: () => closeServer(server, LAST_CALLS_MS) };
}

function exposed(address: string): AppError {
  return new AppError(
    "CONFIG_INVALID",
    `${KEY} = ${JSON.stringify(address)} would send its token in the clear`,
    {
      hint: "Set serve.tls_cert and serve.tls_key, or listen on 127.0.0.1 and come by an SSH tunnel.",
    },
  );
}

function isBoundElsewhere(server: Server): boolean {
  const bound = server.address();
  return typeof bound !== "object" || bound === null || !isLoopbackAddress(bound.address);
}

/** Read once for each change of the vault: strangers may ask as often as they like. */
function createToken(vault: Vault, secrets: SecretReader): () => Promise<Secret | null> {
  let known: { revision: number; token: Promise<Secret | null> } | null = null;
  const read = () =>
    readSecret(secrets, { name: METRICS_TOKEN.name, org: null, environment: "production" }).catch(
      (error: unknown) => {
        if (isAppError(error)) return null;
        throw error;
      },
    );
  return () => {
    const revision = vault.revision();
    if (known?.revision !== revision) known = { revision, token: read() };
    return known.token;
  };
}
