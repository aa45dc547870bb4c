import type { AccountContext } from "../flows/account/context.ts";
import { isRefusal } from "../flows/account/refusal.ts";
import { deliverTo } from "../flows/deliver/deliver.ts";
import type { AppError } from "../shared/errors.ts";
import type { Store } from "../store/contract/store.ts";
import type { Observers } from "./metrics/metrics.ts";
import { observedDelivery } from "./metrics/observed-delivery.ts";
import type { SchedulerContext } from "./scheduler.ts";
import type { RefusedDoors } from "./trouble/refused-doors.ts";
import type { ToldHolds } from "./trouble/told-holds.ts";
import type { VaultWatch } from "./trouble/vault-watch.ts";

interface DeliveringContext {
  account: AccountContext;
  store: Store;
  toldHolds: ToldHolds;
  vaultWatch: VaultWatch;
  refused: RefusedDoors;
  metrics: Pick<Observers, "delivered">;
  /** Cuts off the calls under way. */
  abort: AbortSignal;
}

/** What mends a refusal is noticed within this time. */
const LOOK_AT_REFUSED_MS = 2_000;

/** One delivery of the service, and what the journal hears of it. Throws `STORE_UNAVAILABLE`. */
export function delivering({
  account,
  store,
  toldHolds,
  vaultWatch,
  refused,
  metrics,
  abort,
}: DeliveringContext): SchedulerContext["deliver"] {
  const { log, clock } = account;
  return async (connectionId, stop) => {
    if (await refused.isShut(connectionId)) return { restUntil: clock.now() + LOOK_AT_REFUSED_MS };
    const beganAt = clock.now();
    const problems: AppError[] = [];
    const to = (await store.connection(connectionId))?.vendor ?? "";
    const observed = observedDelivery(store, (undeliveredMs) => metrics.delivered(to, undeliveredMs));
    const { restUntil, ...counts } = await deliverTo(account, observed, {
      connectionId,
      stop,
      abort,
      onProblem: (problem) => problems.push(problem),
    });
    await toldHolds.look(connectionId, counts);
    const connection = await store.connection(connectionId);
    const { org = null, vendor = null, environment = null } = connection ?? {};
    const whose = { org, vendor, ...(environment === "sandbox" ? { environment } : {}) };
    if (Object.values(counts).some((n) => n > 0)) log.info("delivered", { ...whose, ...counts });
    if (counts.retried > 0 && connection?.outage)
      log.warn("the vendor fails", { ...whose, reason: connection.outage.reason ?? null });
    for (const problem of problems) {
      if (problem.code === "STORE_UNAVAILABLE") throw problem;
      const isVaults = problem.code === "VAULT_UNAVAILABLE";
      // What is held needs no rest: its release is the time to go on.
      if (isVaults && (await vaultWatch.hear(connectionId, problem))) return { restUntil: 0 };
      const hint = problem.hint === undefined ? {} : { hint: problem.hint };
      log.warn("cannot deliver", { ...whose, reason: problem.message, ...hint });
      if (isRefusal(problem)) {
        refused.shut(connectionId, { since: beganAt, until: restUntil });
        return { restUntil: clock.now() + LOOK_AT_REFUSED_MS };
      }
    }
    return { restUntil };
  };
}
