import type { Server } from "node:http";
import { setSecretCommand } from "../core/advice/command-lines.ts";
import { METRICS_TOKEN } from "../core/metrics-token.ts";
import { adminExposed, isAdminGivenUp, isLoopbackAddress } from "../shared/admin-address.ts";
import { isAppError } from "../shared/errors.ts";
import type { Log } from "../shared/log.ts";
import type { Secret } from "../shared/secret.ts";
import type { Vault } from "../vault/contract.ts";
import { readSecret, type SecretReader } from "../vault/secrets.ts";
import { createAdminServer } from "./admin/admin-server.ts";
import { createAdminPages } from "./admin/pages.ts";
import type { ServeContext, ServeParts } from "./context.ts";
import { closeServer, listen } from "./listen.ts";
import type { Metrics } from "./metrics/metrics.ts";
import { reasonsFor, whyNotReady } from "./readiness.ts";
import { LAST_CALLS_MS, type Stopping } from "./stopping.ts";
import type { Notice } from "./pages/notice.ts";
import type { ToldEnds } from "./pages/told-ends.ts";
import { createQuietLog } from "./trouble/quiet-log.ts";
import type { Watches } from "./watches.ts";

export interface AdminListener {
  address: string;
  /** What its pages show may look otherwise now. */
  changed(): void;
  end(): Promise<void>;
}

const KEY = "serve.admin_listen";

interface AdminParts {
  watches: Watches;
  stopping: Stopping;
  metrics: Metrics;
  /** Of a socket that systemd listens on for it. */
  descriptor: number | undefined;
  /** What its page is to say, also of what the public listener heard. */
  notices: ToldEnds<Notice>;
}

/**
 * Null where nobody wants one, or where nobody chose its port and another process has it: webhooks do not wait for that.
 * Throws `USAGE` where a port that was chosen is taken, or the socket that we were given listens elsewhere than is wanted,
 * and `CONFIG_INVALID` where others could listen to what it says.
 */
export async function openAdminListener(
  context: ServeContext,
  { store, vault, certificate }: ServeParts,
  { watches, stopping, metrics, descriptor, notices }: AdminParts,
): Promise<AdminListener | null> {
  const { clock, config, log } = context;
  const wanted = config[KEY];
  const isHanded = descriptor !== undefined;
  if (wanted === "none" && !isHanded) return null;
  if (isAdminGivenUp(config) && !isHanded)
    return withoutMetrics(log, `serve.listen has the port of ${wanted}`);
  const token = createToken(vault, watches.secrets);
  const notReady = () => whyNotReady(watches, stopping);
  const quiet = createQuietLog({ log, clock });
  const ownUrl = config["serve.admin_url"] === "" ? null : new URL(config["serve.admin_url"]);
  const reasons = () =>
    reasonsFor(watches, stopping).map(({ message, hint }) => ({
      message: context.asTypedHere(message),
      hint: context.asTypedHere(hint),
    }));
  const { stop, abort } = stopping;
  const pages = createAdminPages(
    { ...context, store, notices, reasons, stop, abort, quiet },
    {
      isSecure: ({ headers }) =>
        certificate !== null ||
        (ownUrl?.protocol === "https:" && headers.host?.toLowerCase() === ownUrl.host),
    },
  );
  const server = createAdminServer({
    certificate,
    token,
    notReady,
    reasons,
    quiet,
    pages,
    ownHost: ownUrl?.host ?? null,
    scrape: () => metrics.scrape({ isReady: notReady() === null }),
  });
  const isChosen = isHanded || config.origins[KEY] !== "default";
  const address = await listen(server, { address: wanted, key: KEY, descriptor }).catch((error: unknown) => {
    if (!isAppError(error, "USAGE") || isChosen) throw error;
    return withoutMetrics(log, error.message, error.hint);
  });
  if (address === null) return null;
  const isExposed = isBoundElsewhere(server);
  if (isExposed && certificate === null) {
    server.close();
    throw adminExposed(wanted);
  }
  if (isExposed && (await token()) === null)
    log.warn("the admin listener tells other machines nothing: no token is set", {
      hint: setSecretCommand(METRICS_TOKEN.name),
    });
  return { address, changed: pages.changed, end: () => closeServer(server, LAST_CALLS_MS) };
}

function withoutMetrics(log: Pick<Log, "warn">, reason: string, hint = `Set another ${KEY}.`): null {
  log.warn(`no metrics are served: ${reason}`, { hint });
  return null;
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
