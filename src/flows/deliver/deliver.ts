/**
 * Brings what is due to one connection's account: as many calls at once as the vendor's window allows. What to do is
 * decided in `core/delivery`; here it is done.
 */
import type { Connection } from "../../core/connection.ts";
import { initialState, decide } from "../../core/delivery/machine.ts";
import { type Obstacle, restAfter } from "../../core/delivery/obstacle.ts";
import { AHEAD_MS, spacingMs, windowFor } from "../../core/delivery/rate-window.ts";
import type { DeliveryEvent } from "../../core/delivery/events.ts";
import type { Rules } from "../../core/delivery/state.ts";
import { type AppError, isAppError } from "../../shared/errors.ts";
import type { Store } from "../../store/contract/store.ts";
import { markMustReconnect } from "../account/must-reconnect.ts";
import { isRefusal, noteTokenProblem } from "../account/refusal.ts";
import { attemptRefused } from "./obstacles.ts";
import type { AccountContext } from "../account/context.ts";
import type { DeliverContext, DeliverReport } from "./context.ts";
import { createExecutor } from "./executor.ts";
import { createLedger, type Ledger } from "./ledger.ts";

/** Calls at once where no window bounds them: enough to keep a vendor on the same machine busy. */
const UNLIMITED_CALLS_AT_ONCE = 8;
/** Each has a connection of its own: an account that does not answer shall not take all that the machine has. */
const MOST_CALLS_AT_ONCE = 64;

export interface DeliverOptions {
  connectionId: number;
  /** Ends it between calls. */
  stop: AbortSignal;
  /** Cuts off the calls under way. */
  abort: AbortSignal;
  /** Somebody wants it tried now, also where the vendor is left in peace. */
  insists?: boolean;
  /** What only a person can mend: noted unless the caller has a better use for it. */
  onProblem?: (problem: AppError) => void;
}

/** Delivers what is due for one connection. */
export async function deliverTo(
  account: AccountContext,
  store: Store,
  { connectionId, stop, abort, insists = false, onProblem }: DeliverOptions,
): Promise<DeliverReport> {
  const connection = await store.connection(connectionId);
  if (!connection) throw new Error(`there is no connection ${connectionId}`);
  const { clock, config, log } = account;
  const retryEveryMs = config["schedule.retry_every"];
  const noted = ({ message }: AppError) =>
    log.warn("cannot deliver", { org: connection.org, vendor: connection.vendor, reason: message });
  const tell = onProblem ?? noted;
  try {
    const [destination, access] = await Promise.all([
      account.destination(connection),
      account.access(connection, { store, signal: abort }),
    ]);
    const context = { store, clock, destination, access, random: Math.random, retryEveryMs, insists, stop };
    return await deliver({ ...context, onProblem: tell }, connection);
  } catch (error) {
    // What is wrong with one org's settings must not end a service that delivers for all.
    if (!isAppError(error, "CONFIG_INVALID")) throw error;
    await noteTokenProblem({ store, clock }, connection, error);
    await attemptRefused({ store, clock }, connectionId, error);
    tell(error);
    const restUntil = restAfter("other", { now: clock.now(), retryEveryMs });
    return { delivered: 0, rejected: 0, held: 0, retried: 0, restUntil };
  }
}

export async function deliver(context: DeliverContext, connection: Connection): Promise<DeliverReport> {
  const ledger = createLedger(context, connection);
  let restUntil: number;
  try {
    try {
      restUntil = await run(context, connection, ledger);
    } finally {
      await ledger.close();
    }
  } catch (error) {
    const obstacle = await note(context, connection, error);
    restUntil = restAfter(obstacle, { now: context.clock.now(), retryEveryMs: context.retryEveryMs });
  }
  return { ...ledger.counts(), restUntil };
}

/** From the first event to the last. Returns until when to rest; 0 when all that is due was sent. */
async function run(context: DeliverContext, connection: Connection, ledger: Ledger): Promise<number> {
  const { clock, random, stop } = context;
  let state = initialState(rulesFor(context, connection), connection.outage);
  const events: DeliveryEvent[] = [];
  let isDeciding = false;
  return await new Promise<number>((resolve, reject) => {
    const tell = (event: DeliveryEvent) => {
      events.push(event);
      if (isDeciding) return;
      isDeciding = true;
      try {
        for (let next = events.shift(); next; next = events.shift()) {
          const decision = decide(state, next, { now: clock.now(), random });
          state = decision.state;
          for (const command of decision.commands) {
            executor.run(command);
            if (command.kind === "finish") end(command.restUntil);
          }
        }
        isDeciding = false;
      } catch (error) {
        reject(error);
      }
    };
    const executor = createExecutor(context, connection, { ledger, tell });
    const onStop = () => tell({ kind: "told to stop" });
    const end = (restUntil: number) => {
      stop.removeEventListener("abort", onStop);
      executor.ended().then(() => resolve(restUntil), reject);
    };
    stop.addEventListener("abort", onStop);
    if (stop.aborted) onStop();
    tell({ kind: "began" });
  });
}

function rulesFor({ destination, retryEveryMs, insists }: DeliverContext, connection: Connection): Rules {
  const { batchSize, rateLimit } = destination;
  return {
    batchSize,
    mostInFlight: Math.min(rateLimit?.calls ?? UNLIMITED_CALLS_AT_ONCE, MOST_CALLS_AT_ONCE),
    hasWindow: windowFor(destination, connection) !== null,
    spacingMs: rateLimit ? spacingMs(rateLimit) : 0,
    aheadMs: AHEAD_MS,
    retryEveryMs,
    insists,
  };
}

/** Notes what stood in the way, where people look. Throws what is a bug. */
async function note(context: DeliverContext, connection: Connection, error: unknown): Promise<Obstacle> {
  if (isAppError(error, "RECONNECT_NEEDED"))
    return (await markMustReconnect(context.store, connection, error)) ? "dead login" : "login of before";
  if (isRefusal(error)) await attemptRefused(context, connection.id, error);
  if (isAppError(error)) context.onProblem(error);
  else if (!context.access.signal.aborted) throw error;
  return isAppError(error, "STORE_UNAVAILABLE") ? "store" : "other";
}
