import { dailyDue, type DueTimes, everyDue } from "../../core/due-times.ts";
import type { Tokens } from "../../oauth/tokens.ts";
import type { AppError } from "../../shared/errors.ts";
import type { Http } from "../../shared/http.ts";
import type { Store } from "../../store/contract/store.ts";
import type { Vault } from "../../vault/contract.ts";
import type { SecretReader } from "../../vault/secrets.ts";
import type { Source } from "../../vendors/contract/source.ts";
import type { Vendors } from "../account/vendors.ts";
import { checkSubscriptions } from "../ats/subscriptions.ts";
import { finishReleases } from "../connect/consent-release.ts";
import { refreshAll } from "../connect/refresh.ts";
import { answerQuestions } from "../intake/look-ups.ts";
import { sweepAll } from "../rerun/sweep.ts";
import { alertOwners } from "../watch/alert.ts";

/** One thing the service does at set times, beside delivering. */
export interface Job {
  name: string;
  due: DueTimes;
  /** Run again after a pause where it throws what an operator can act on, or its process is killed. */
  run(signal: AbortSignal): Promise<void>;
}

export interface JobsContext extends Vendors {
  store: Store;
  http(): Promise<Http>;
  sources(): Promise<readonly Source[]>;
  tokens(): Promise<Tokens>;
  vault(): Promise<Vault>;
  /** As they were when the vault could last be read. */
  secrets: SecretReader;
  /** Tokens of a connection could not be read. */
  onVaultTrouble(connectionId: number, problem: AppError): Promise<unknown>;
}

/** How often the service looks after tokens, alerts and what webhooks left to be asked. */
const LOOK_EVERY_MS = 60_000;
const SUBSCRIPTIONS_EVERY_MS = 60 * 60_000;

export function jobsOf(context: JobsContext): Job[] {
  const { config, log, store } = context;
  return [
    {
      name: "sweep",
      due: dailyDue(config["schedule.sweep_at"]),
      run: async (signal) => {
        log.info("swept", { raised: await sweepAll(context, store, signal) });
      },
    },
    {
      name: "refresh",
      due: everyDue(LOOK_EVERY_MS),
      run: async (signal) => {
        const { failed } = await refreshAll(context, store, signal);
        for (const { connection, problem } of failed) {
          if (problem.code === "STORE_UNAVAILABLE") throw problem;
          if (problem.code === "VAULT_UNAVAILABLE") await context.onVaultTrouble(connection.id, problem);
          // A login that is lost is told where it is noted.
          else if (problem.code !== "RECONNECT_NEEDED")
            log.warn("token not refreshed", { reason: problem.message });
        }
      },
    },
    {
      name: "releases",
      due: everyDue(LOOK_EVERY_MS),
      run: async () => {
        const released = await finishReleases(context);
        if (released > 0) log.info("released after a consent that was cut off", { released });
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
