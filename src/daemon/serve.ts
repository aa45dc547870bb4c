import { dailyDue, everyDue } from "../core/due-times.ts";
import { alertOwners } from "../flows/alert.ts";
import { deliverTo, type Vendors } from "../flows/deliver-all.ts";
import { refreshAll } from "../flows/refresh.ts";
import { answerQuestions } from "../flows/questions.ts";
import { checkSubscriptions } from "../flows/subscriptions.ts";
import { sweepAll } from "../flows/sweep.ts";
import type { Tokens } from "../oauth/tokens.ts";
import type { Http } from "../shared/http.ts";
import type { Log } from "../shared/log.ts";
import type { Store } from "../store/contract.ts";
import type { Vault } from "../vault/contract.ts";
import type { Source } from "../vendors/contract.ts";
import { createConsentCallback } from "./consent-callback.ts";
import { closeServer, listen } from "./listen.ts";
import { createReceiver } from "./receiver.ts";
import { createRefusals } from "./refusals.ts";
import { type Job, runScheduler } from "./scheduler.ts";
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
const SUBSCRIPTIONS_EVERY_MS = 60 * 60_000;
/** How long calls under way may take once we were told to stop; systemd's own patience is 90 s. */
const LAST_CALLS_MS = 10_000;

/** Throws when a part of it dies: systemd starts it anew, and nothing acknowledged is lost by that. */
export async function serve(
  context: ServeContext,
  { signal, onListening }: { signal: AbortSignal; onListening: (address: string) => void },
): Promise<void> {
  const { log, clock, config } = context;
  const store = await context.threadedStore();
  const secretsOf = createWebhookSecrets({ vault: await context.vault(), clock });
  const [stop, abort] = [new AbortController(), new AbortController()];
  const onSignal = () => stop.abort();
  signal.addEventListener("abort", onSignal);
  if (signal.aborted) stop.abort();

  const refusals = createRefusals({ store, clock, log });
  const callback = createConsentCallback({ ...context, store, signal: abort.signal });
  const receiver = createReceiver({
    store,
    clock,
    log,
    sources: await context.sources(),
    secretsOf,
    refused: refusals.note,
    callback,
    notReady: () => (stop.signal.aborted ? "stopping" : null),
  });
  const address = await listen(receiver, config["serve.listen"], "serve.listen");
  await store.enterService();
  log.info("listening", { address });
  onListening(address);

  const scheduler = runScheduler(
    {
      store,
      clock,
      log,
      jobs: jobsOf(context, store),
      deliver: async (connectionId, stopped) => {
        const report = await deliverTo(context, store, { connectionId, stop: stopped, abort: abort.signal });
        const { restUntil, ...counts } = report;
        if (Object.values(counts).some((n) => n > 0))
          log.info("delivered", { connection: connectionId, ...counts });
        return { restUntil };
      },
    },
    stop.signal,
  );
  stop.signal.addEventListener("abort", () => {
    log.info("stopping");
    setTimeout(() => abort.abort(), LAST_CALLS_MS).unref();
  });
  try {
    await scheduler;
  } finally {
    stop.abort();
    signal.removeEventListener("abort", onSignal);
    await closeServer(receiver, LAST_CALLS_MS);
    await refusals.end();
    await callback.finish();
    log.info("stopped");
  }
}

function jobsOf(context: ServeContext, store: Store): Job[] {
  const { config, log } = context;
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
        for (const reason of failed) log.warn("token not refreshed", { reason });
      },
    },
    {
      name: "subscriptions",
      due: everyDue(SUBSCRIPTIONS_EVERY_MS),
      run: async (signal) => {
        const { failed } = await checkSubscriptions(context, store, signal);
        for (const reason of failed) log.warn("webhook subscription", { reason });
      },
    },
    {
      name: "questions",
      due: everyDue(LOOK_EVERY_MS),
      run: async (signal) => {
        const { answered, failed } = await answerQuestions(context, store, signal);
        if (answered > 0) log.info("results told by webhooks", { answered });
        for (const reason of failed) log.warn("result told by a webhook waits", { reason });
      },
    },
    {
      name: "alerts",
      due: everyDue(LOOK_EVERY_MS),
      run: async (signal) => {
        const { sent, failed } = await alertOwners({ ...context, store }, signal);
        if (sent > 0) log.info("alerts sent", { sent });
        for (const reason of failed) log.warn("alert not sent yet", { reason });
      },
    },
  ];
}
