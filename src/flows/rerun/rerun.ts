import { leftOverError } from "../../core/advice/left-over.ts";
import type { HeldCauses } from "../../core/push.ts";
import { AppError } from "../../shared/errors.ts";
import type { NewRun, RunCounts, Standing, Store } from "../../store/contract/store.ts";
import { noteUnsent } from "../account/unsent.ts";
import { releaseFromVault } from "../account/vault-trouble.ts";
import type { AccountContext } from "../account/context.ts";
import { queueAll } from "./queue.ts";
import { seeThrough, standingOf, type Stop } from "./see-through.ts";
import { type RerunPlan, totalOf } from "./selection.ts";

/** What `replay` and `backfill` do alike: queue what was selected, and see it through. */
export interface RerunOptions {
  run: Omit<NewRun, "now" | "adopts">;
  /** At most so many are queued; what waits already is among them, so that a run cut off can be started again. */
  limit: number | null;
  /** At most so many a second are queued. */
  perSecond: number | null;
  /** Queue and return: a service, or a later run, delivers. */
  detach: boolean;
  signal: AbortSignal;
  onQueued(queued: number): void;
  /** `total`: what was queued, and what waited already. */
  onStanding(standing: Standing, total: number, note: string): void;
  /** Somebody sees what goes on; else it ends after a while in which nothing did. */
  isAttended: boolean;
  /** Why nothing moves while a service delivers. */
  onWaiting(reason: string): void;
}

export interface RerunReport extends RunCounts {
  /** How many waited already. */
  waited: number;
  held: number;
  pending: number;
  /** Why it ended before all was delivered; what is pending stays so. */
  problem: AppError | null;
}

/** What was begun, as far as it came. */
interface Run {
  id: number;
  plans: readonly RerunPlan[];
  options: RerunOptions;
  queued: number;
  waited: number;
}

/**
 * Makes the selected pushes due, then watches a living service deliver them, or delivers them itself where none
 * lives. Cut off at any point it can be started again with the same end: what was queued stays queued, and the next run
 * sees it through.
 */
export async function rerun(
  account: AccountContext,
  store: Store,
  plans: readonly RerunPlan[],
  options: RerunOptions,
): Promise<RerunReport> {
  const { clock } = account;
  const { run: begun, signal, detach } = options;
  const { org } = begun;
  // What still cannot be read is held when it is queued, and told in the end.
  const unreadable = await releaseFromVault(account, store, { org, signal });
  // What waits already is the run's too, and counts first.
  const adopts = {
    selections: plans.map(({ selection }) => selection),
    limit: options.limit ?? Number.POSITIVE_INFINITY,
  };
  const { id, adopted } = await store.saveRun({ ...begun, now: clock.now(), adopts });
  const run: Run = { id, plans, options, queued: 0, waited: adopted };
  try {
    await queue(account, store, run);
    await note(store, run, null);
    if (detach) return { ...(await note(store, run, clock.now())), waited: run.waited, problem: null };
    const connections = plans.map(({ connection }) => connection);
    const queued = { ...options, org, connections, runId: id, total: run.waited + run.queued };
    const stop = (await seeThrough(account, store, queued)) ?? unreadable;
    const counts = await note(store, run, stop === null ? clock.now() : null);
    return { ...counts, waited: run.waited, problem: await problemOf(store, run, { stop, ...counts }) };
  } catch (error) {
    await note(store, run, null);
    throw error;
  }
}

async function queue({ clock }: AccountContext, store: Store, run: Run): Promise<void> {
  const { id: runId, plans, options } = run;
  const { limit, perSecond, signal } = options;
  const most = limit ?? Number.POSITIVE_INFINITY;
  const onQueued = (queued: number) => {
    run.queued = queued;
    options.onQueued(queued);
  };
  const rest = { runId, most: most - run.waited, perSecond, signal, onQueued };
  await queueAll({ store, clock }, plans, rest);
  if (options.run.command === "backfill")
    for (const { connection } of plans) await noteUnsent(store, connection);
}

async function note(
  store: Store,
  { id, plans, queued }: Run,
  endedAt: number | null,
): Promise<RunCounts & Standing> {
  const { matched, skipped } = totalOf(plans);
  const counts = { matched, queued, skipped, ...(await standingOf(store, id)) };
  await store.saveRun({ id, counts, endedAt });
  return counts;
}

async function problemOf(
  store: Store,
  run: Run,
  { stop, skipped, rejected }: { stop: Stop; skipped: number; rejected: number },
): Promise<AppError | null> {
  if (stop instanceof AppError) return stop;
  // Where nothing went out since all of it is held, what holds it is the news.
  const isIdle = run.queued + run.waited === 0 && (skipped > 0 || run.options.run.command === "backfill");
  const connections = run.plans.map(({ connection }) => connection);
  const held = await Promise.all(
    connections.map(async (connection) => ({
      connection,
      causes: await heldFor(store, connection.id, isIdle ? null : run.id),
    })),
  );
  return leftOverError({ rejected, held, resting: stop === "resting" ? connections : [] });
}

/** Of what the run raised at the connection, or of all of the connection. */
async function heldFor(store: Store, connectionId: number, runId: number | null): Promise<HeldCauses> {
  const selection = runId === null ? { pushes: { connectionId } } : { run: { id: runId, connectionId } };
  return (await store.countPushes(selection, { causes: true })).heldFor;
}
