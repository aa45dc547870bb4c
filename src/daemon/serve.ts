import { dailyDue, everyDue } from "../core/due-times.ts";
import { alertOwners } from "../flows/alert.ts";
import { deliverTo, type Vendors } from "../flows/deliver-all.ts";
import { refreshAll } from "../flows/refresh.ts";
import { rememberingSecrets, type SecretReader } from "../flows/secrets.ts";
import { sweepAll } from "../flows/sweep.ts";
import type { Tokens } from "../oauth/tokens.ts";
import type { AppError } from "../shared/errors.ts";
import type { Http } from "../shared/http.ts";
import type { Log } from "../shared/log.ts";
import type { Store } from "../store/contract.ts";
import type { Vault } from "../vault/contract.ts";
import type { Source } from "../vendors/contract.ts";
import { closeServer, listen } from "./listen.ts";
import { createReceiver } from "./receiver.ts";
import { type Job, runScheduler } from "./scheduler.ts";
import { createVaultWatch, type VaultWatch } from "./vault-watch.ts";
import { createWebhookSecrets } from "./webhook-secrets.ts";

/** The service: receiver, scheduler and delivery in one process, until the signal aborts. */
export interface ServeContext extends Vendors {
  log: Log;
  sources(): Promise<readonly Source[]>;
  vault(): Promise<Vault>;
  http(): Promise<Http>;
  tokens(): Promise<Tokens>;
  threadedStore(): Promise<Store>;
}

/** How often the service looks after tokens and alerts. */
const LOOK_EVERY_MS = 60_000;
/** How long calls under way may take once we were told to stop; systemd's own patience is 90 s. */
const LAST_CALLS_MS = 10_000;

/** Throws when a part of it dies: systemd starts it anew, and nothing acknowledged is lost by that. */
export async function serve(
  context: ServeContext,
  { signal, onListening }: { signal: AbortSignal; onListening: (address: string) => void },
): Promise<void> {
  const { log, clock, config } = context;
  const store = await context.threadedStore();
  const [vault, sources] = await Promise.all([context.vault(), context.sources()]);
  const secretsOf = createWebhookSecrets({ vault, clock });
  const secrets = rememberingSecrets(vault);
  const vaultWatch = createVaultWatch({
    ...context,
    store,
    vault,
    secrets,
    readWebhookSecrets: async () => {
      for (const source of sources) await secretsOf(source);
    },
  });
  const [stop, abort] = [new AbortController(), new AbortController()];
  const onSignal = () => stop.abort();
  signal.addEventListener("abort", onSignal);
  if (signal.aborted) stop.abort();

  const receiver = createReceiver({
    store,
    clock,
    log,
    sources,
    secretsOf,
    notReady: () => (stop.signal.aborted ? "stopping" : (vaultWatch.problem()?.message ?? null)),
  });
  const address = await listen(receiver, config["serve.listen"], "serve.listen");
  await store.enterService();
  await vaultWatch.look(abort.signal);
  log.info("listening", { address });
  onListening(address);

  const scheduler = runScheduler(
    {
      store,
      clock,
      log,
      jobs: jobsOf({ ...context, store, vaultWatch, secrets }),
      deliver: async (connectionId, stopped) => {
        const problems: AppError[] = [];
        const { restUntil, ...counts } = await deliverTo(context, store, {
          connectionId,
          stop: stopped,
          abort: abort.signal,
          onProblem: (problem) => problems.push(problem),
        });
        if (Object.values(counts).some((n) => n > 0))
          log.info("delivered", { connection: connectionId, ...counts });
        for (const problem of problems) {
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
  stop.signal.addEventListener("abort", () => {
    log.info("stopping");
    setTimeout(() => abort.abort(), LAST_CALLS_MS).unref();
  });
  const watching = vaultWatch.run(stop.signal);
  try {
    await Promise.all([scheduler, watching]);
  } finally {
    stop.abort();
    await Promise.allSettled([scheduler, watching]);
    signal.removeEventListener("abort", onSignal);
    await closeServer(receiver, LAST_CALLS_MS);
    log.info("stopped");
  }
}

interface JobsContext extends ServeContext {
  store: Store;
  vaultWatch: VaultWatch;
  secrets: SecretReader;
}

function jobsOf(context: JobsContext): Job[] {
  const { config, log, store, vaultWatch } = context;
  return [
    {
      name: "sweep",
      due: dailyDue(config["schedule.sweep_at"]),
      run: async () => {
        log.info("swept", { raised: await sweepAll(context, store) });
      },
    },
    {
      name: "refresh",
      due: everyDue(LOOK_EVERY_MS),
      run: async (signal) => {
        const { failed } = await refreshAll(context, store, signal);
        for (const { connection, problem } of failed) {
          if (problem.code === "VAULT_UNAVAILABLE") await vaultWatch.hear(connection.id, problem);
          else log.warn("token not refreshed", { reason: problem.message });
        }
      },
    },
    {
      name: "alerts",
      due: everyDue(LOOK_EVERY_MS),
      run: async (signal) => {
        const { sent, failed } = await alertOwners(
          { ...context, vault: async () => context.secrets },
          signal,
        );
        if (sent > 0) log.info("alerts sent", { sent });
        for (const reason of failed) log.warn("alert not sent yet", { reason });
      },
    },
  ];
}
