import type { LookUpContext } from "../flows/intake/look-ups.ts";
import { deliverTo } from "../flows/deliver/deliver.ts";
import { tellSecretWarnings } from "../flows/watch/secret-warnings.ts";
import type { Tokens } from "../oauth/tokens.ts";
import type { AppError } from "../shared/errors.ts";
import type { Http } from "../shared/http.ts";
import type { Log } from "../shared/log.ts";
import type { Store } from "../store/contract/store.ts";
import type { Vault } from "../vault/contract.ts";
import { rememberingSecrets } from "../vault/secrets.ts";
import type { Source } from "../vendors/contract/source.ts";
import { closeServer, listen } from "./listen.ts";
import { createConsentCallback } from "./pages/consent-callback.ts";
import { networks } from "./receiving/connections.ts";
import { createReceiver } from "./receiving/receiver.ts";
import { createRefusals } from "./receiving/refusals.ts";
import { createWebhookSecrets } from "./receiving/webhook-secrets.ts";
import { scheduledJobs } from "./scheduled-jobs.ts";
import { runScheduler } from "./scheduler.ts";
import { createQuietLog } from "./trouble/quiet-log.ts";
import { createStoreFaults } from "./trouble/store-faults.ts";
import { createStoreTrouble } from "./trouble/store-trouble.ts";
import { createToldHolds, tellingLostLogins } from "./trouble/told-holds.ts";
import { createVaultWatch } from "./trouble/vault-watch.ts";

/** The service: receiver, scheduler and delivery in one process, until the signal aborts. */
export interface ServeContext extends LookUpContext {
  stateDir: string;
  log: Log;
  sources(): Promise<readonly Source[]>;
  vault(): Promise<Vault>;
  http(): Promise<Http>;
  tokens(): Promise<Tokens>;
  threadedStore(): Promise<Store>;
}

/** How long calls under way may take once we were told to stop; systemd's own patience is 90 s. */
const LAST_CALLS_MS = 10_000;
const ENTER_AGAIN_MS = 20_000;

/**
 * Throws when a part of it dies: systemd starts it anew, and nothing acknowledged is lost by that. A store that becomes
 * full or locked ends nothing: senders hear 503, and all goes on when there is room.
 */
export async function serve(
  context: ServeContext,
  { signal, onListening }: { signal: AbortSignal; onListening: (address: string) => void },
): Promise<void> {
  const { log, clock, config } = context;
  const store = tellingLostLogins(await context.threadedStore(), log);
  const toldHolds = createToldHolds(store, log);
  const [vault, sources] = await Promise.all([context.vault(), context.sources()]);
  let isKnown = false;
  const enter = async () => {
    await store.runningServices({ enter: true }).then(() => {
      isKnown = true;
    }, trouble.hear);
  };
  const storeFaults = createStoreFaults({ ...context, store, onUsable: () => void enter() });
  const trouble = createStoreTrouble({ clock, log, isTold: () => storeFaults.refusing() !== null });
  const secretsOf = createWebhookSecrets({
    vault,
    clock,
    log,
    warn: (warnings) => tellSecretWarnings(context.stateDir, warnings),
  });
  const secrets = rememberingSecrets(vault);
  const vaultWatch = createVaultWatch({
    ...context,
    store,
    vault,
    secrets,
    trouble,
    readWebhookSecrets: async () => {
      for (const source of sources) await secretsOf(source);
    },
  });
  const [stop, abort] = [new AbortController(), new AbortController()];
  stop.signal.addEventListener("abort", () => {
    log.info("stopping");
    setTimeout(() => abort.abort(), LAST_CALLS_MS).unref();
  });
  const onSignal = () => stop.abort();
  signal.addEventListener("abort", onSignal);
  if (signal.aborted) stop.abort();

  const refusals = createRefusals({ store, clock, log, trouble });
  const quiet = createQuietLog({ log, clock });
  const callback = createConsentCallback({ ...context, quiet, store, signal: abort.signal });
  const { jobs, hurry } = await scheduledJobs({
    ...context,
    store,
    insists: false,
    secrets: async () => secrets,
    tokenTrouble: {
      release: async () => vaultWatch.problem(),
      note: ({ id }, problem) => vaultWatch.hear(id, problem),
    },
  });
  const receiver = createReceiver({
    store,
    clock,
    quiet,
    sources,
    secretsOf,
    refused: refusals.note,
    leftQuestion: () => hurry("questions"),
    trouble,
    callback,
    notReady: () => {
      if (stop.signal.aborted) return "stopping";
      if (storeFaults.isNotReady()) return "storage";
      return vaultWatch.problem() === null ? null : "vault";
    },
    mostConnections: config["serve.max_connections"],
    trustedProxies: networks(config["serve.trusted_proxies"]),
  });
  const address = await listen(receiver, config["serve.listen"], "serve.listen");
  const enterLater = async () => {
    while (!isKnown && !stop.signal.aborted) {
      await clock.sleep(ENTER_AGAIN_MS, stop.signal).catch(() => {});
      if (!stop.signal.aborted) await enter();
    }
  };
  await enter();
  await vaultWatch.look(abort.signal);
  log.info("listening", { address });
  onListening(address);

  const scheduler = runScheduler(
    {
      store,
      clock,
      log,
      trouble,
      jobs,
      deliver: async (connectionId, stopped) => {
        const problems: AppError[] = [];
        const { restUntil, ...counts } = await deliverTo(context, store, {
          connectionId,
          stop: stopped,
          abort: abort.signal,
          onProblem: (problem) => problems.push(problem),
        });
        await toldHolds.look(connectionId, counts);
        if (Object.values(counts).some((n) => n > 0))
          log.info("delivered", { connection: connectionId, ...counts });
        if (counts.retried > 0) {
          const failing = await store.connection(connectionId);
          if (failing?.outage)
            log.warn("the vendor fails", { vendor: failing.vendor, reason: failing.outage.reason ?? null });
        }
        for (const problem of problems) {
          if (problem.code === "STORE_UNAVAILABLE") throw problem;
          const isVaults = problem.code === "VAULT_UNAVAILABLE";
          // What is held needs no rest: its release is the time to go on.
          if (isVaults && (await vaultWatch.hear(connectionId, problem))) return { restUntil: 0 };
          log.warn("cannot deliver", { connection: connectionId, reason: problem.message });
        }
        return { restUntil };
      },
    },
    stop.signal,
  );
  const watching = vaultWatch.run(stop.signal);
  const entering = enterLater();
  try {
    await Promise.all([scheduler, watching, entering]);
  } finally {
    stop.abort();
    await Promise.allSettled([scheduler, watching, entering]);
    signal.removeEventListener("abort", onSignal);
    await closeServer(receiver, LAST_CALLS_MS);
    await refusals.end();
    await callback.finish();
    storeFaults.end();
    log.info("stopped");
  }
}
