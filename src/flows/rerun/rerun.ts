import { connectCommand } from "../../core/advice/command-lines.ts";
import { leftOverError } from "../../core/advice/left-over.ts";
import type { Connection } from "../../core/connection.ts";
import { DEFAULT_VENDOR } from "../../core/default-vendor.ts";
import { MAX_TRIES } from "../../core/delivery/retry.ts";
import { AppError } from "../../shared/errors.ts";
import type {
  Covered,
  NewRun,
  RunCounts,
  SelectionPage,
  Standing,
  Store,
} from "../../store/contract/store.ts";
import { noteUnsent } from "../account/unsent.ts";
import { releaseFromVault } from "../account/vault-trouble.ts";
import type { Vendors } from "../account/vendors.ts";
import { deliverTo } from "../deliver/deliver-to.ts";
import { createGiveWay } from "./give-way.ts";

/** What `replay` and `backfill` share: count, queue in pages, and see it through. */
export interface Selection {
  connection: Connection;
  /** How many there are, how many of them stay where they are, and how many wait already. */
  counts: SelectedNumbers;
  /** Those that wait already, as an earlier run left them that was cut off, or events raised them. */
  waiting: Covered;
  page(after: string | null, limit: number): Promise<SelectionPage>;
}

export interface SelectedNumbers {
  matched: number;
  skipped: number;
  waiting: number;
}

export interface RerunOptions {
  run: Omit<NewRun, "now">;
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
}

export interface RerunReport extends RunCounts {
  /** How many waited already. */
  waited: number;
  held: number;
  pending: number;
  /** Why it ended before all was delivered; what is pending stays so. */
  problem: AppError | null;
}

const PAGE = 1_000;
const LOOK_EVERY_MS = 500;
const LEAST_REST_MS = 20;
/** A command does not wait longer for a vendor that wants to be left in peace. */
const LONGEST_REST_MS = 60_000;
const DELIVERING_FROM_HERE = "no service runs: delivering from here";

/**
 * Makes the selected pushes due, then watches a living service deliver them, or delivers them itself where none
 * lives. Cut off at any point it can be started again with the same end: what was queued stays queued, and the next run
 * sees it through.
 */
export async function rerun(
  vendors: Vendors,
  store: Store,
  selections: readonly Selection[],
  options: RerunOptions,
): Promise<RerunReport> {
  const { clock } = vendors;
  // What still cannot be read is held when it is queued, and told in the end.
  const { org } = options.run;
  const unreadable = await releaseFromVault(vendors, store, { org, signal: options.signal });
  const runId = await store.startRun({ ...options.run, now: clock.now() });
  const { matched, skipped } = totalOf(selections);
  const connections = selections.map(({ connection }) => connection);
  let [waited, queued] = [0, 0];
  const note = async (endedAt: number | null) => {
    const counts = { matched, queued, skipped, ...(await store.standing(runId)) };
    await store.noteRun(runId, counts, endedAt);
    return counts;
  };
  const report = async (stop: Stop) => {
    const counts = await note(stop === null ? clock.now() : null);
    if (options.detach) return { ...counts, waited, problem: null };
    if (stop instanceof AppError) return { ...counts, waited, problem: stop };
    // Where nothing went out since all of it is held, what holds it is the news.
    const isIdle = queued + waited === 0 && (skipped > 0 || options.run.command === "backfill");
    const held = await Promise.all(
      connections.map(async (connection) => ({
        connection,
        causes: await store.heldCauses(connection.id, isIdle ? undefined : runId),
      })),
    );
    const resting = stop === "resting" ? connections : [];
    return { ...counts, waited, problem: leftOverError({ rejected: counts.rejected, held, resting }) };
  };
  try {
    const most = options.limit ?? Number.POSITIVE_INFINITY;
    for (const { waiting } of selections) waited += await store.adopt(runId, waiting, most - waited);
    const onQueued = (n: number) => {
      queued = n;
      options.onQueued(n);
    };
    await queueAll(vendors, store, selections, { ...options, most: most - waited, onQueued, runId });
    if (options.run.command === "backfill")
      for (const connection of connections) await noteUnsent(store, connection);
    await note(null);
    if (options.detach) return await report(null);
    const watch = { ...options, connections, runId, total: waited + queued };
    return await report((await seeThrough(vendors, store, watch)) ?? unreadable);
  } catch (error) {
    await note(null);
    throw error;
  }
}

export function totalOf(selections: readonly Selection[]): SelectedNumbers {
  const sum = (of: keyof SelectedNumbers) => selections.reduce((total, { counts }) => total + counts[of], 0);
  return { matched: sum("matched"), skipped: sum("skipped"), waiting: sum("waiting") };
}

async function queueAll(
  { clock }: Vendors,
  store: Store,
  selections: readonly Selection[],
  { runId, most, perSecond, signal, onQueued }: RerunOptions & { runId: number; most: number },
): Promise<void> {
  const pageSize = Math.min(PAGE, perSecond ?? PAGE);
  let queued = 0;
  for (const { connection, page } of selections) {
    const giveWay = createGiveWay({ store, clock }, connection);
    let after: string | null = null;
    do {
      signal.throwIfAborted();
      await giveWay(signal);
      const startedAt = clock.now();
      const { subjects, next }: SelectionPage = await page(after, Math.min(pageSize, most - queued));
      queued += await store.raise(connection.id, subjects, startedAt, runId);
      onQueued(queued);
      after = queued < most ? next : null;
      if (perSecond !== null && after !== null) {
        const waitMs = (subjects.length / perSecond) * 1_000 - (clock.now() - startedAt);
        if (waitMs > 0) await clock.sleep(waitMs, signal);
      }
    } while (after !== null);
  }
}

interface Watch extends RerunOptions {
  connections: readonly Connection[];
  runId: number;
  total: number;
}

/** Why nothing moves while a service delivers; empty while nothing stands in the way. */
async function outageNote(store: Store, { run, connections }: Watch): Promise<string> {
  const ids = connections.map(({ id }) => id);
  const now = (await store.connections(run.org)).filter(({ id }) => ids.includes(id));
  const failing = now.filter(({ outage }) => outage !== null && outage.suspect === null);
  if (failing.length === 0) return "";
  const vendors = failing.map(({ vendor }) => vendor).join(", ");
  return `${vendors} fails at the moment: Ctrl-C, and serve goes on by itself`;
}

/** Why a run ended before all was through; null when nothing is pending any more. */
type Stop = AppError | "resting" | null;

async function seeThrough(vendors: Vendors, store: Store, watch: Watch): Promise<Stop> {
  const { runId, total, signal, onStanding } = watch;
  let fruitless = 0;
  for (;;) {
    signal.throwIfAborted();
    const standing = await store.standing(runId);
    const isServed = (await store.runningServices()) > 0;
    onStanding(standing, total, isServed ? await outageNote(store, watch) : DELIVERING_FROM_HERE);
    if (standing.pending === 0) return standing.held > 0 ? await vaultTroubleOf(store, watch) : null;
    if (isServed) {
      await vendors.clock.sleep(LOOK_EVERY_MS, signal);
      continue;
    }
    const round = await deliverFromHere(vendors, store, watch);
    signal.throwIfAborted();
    if (round.problem) return round.problem;
    if (round.settled > 0) {
      fruitless = 0;
      continue;
    }
    if (round.retried > 0) fruitless += 1;
    const restMs = round.nextAt - vendors.clock.now();
    if (fruitless >= MAX_TRIES || restMs > LONGEST_REST_MS) return "resting";
    await vendors.clock.sleep(Math.max(restMs, LEAST_REST_MS), signal);
  }
}

/** What the service found, where it is the vault that holds results back. */
async function vaultTroubleOf(store: Store, { connections }: Watch): Promise<AppError | null> {
  const ids = connections.map(({ id }) => id);
  const found = (await store.connections()).filter(({ id }) => ids.includes(id));
  const trouble = found.find(({ vaultTrouble }) => vaultTrouble !== null)?.vaultTrouble;
  if (!trouble) return null;
  return new AppError("VAULT_UNAVAILABLE", trouble.reason, trouble.fix === null ? {} : { hint: trouble.fix });
}

interface Round {
  /** Delivered, rejected or held. */
  settled: number;
  retried: number;
  /** When the next try makes sense, ms since the epoch. */
  nextAt: number;
  problem: AppError | null;
}

/** Delivers what is due, while showing how it goes. */
async function deliverFromHere(vendors: Vendors, store: Store, watch: Watch): Promise<Round> {
  const { clock } = vendors;
  const { connections, signal } = watch;
  const round: Round = { settled: 0, retried: 0, nextAt: Number.POSITIVE_INFINITY, problem: null };
  const onProblem = (problem: AppError) => {
    round.problem = problem;
  };
  const stopShowing = showStanding(vendors, store, watch);
  try {
    for (const { id: connectionId } of connections) {
      const options = { connectionId, stop: signal, abort: signal, onProblem };
      const { restUntil, retried, ...settled } = await deliverTo(vendors, store, options);
      round.retried += retried;
      round.settled += settled.delivered + settled.rejected + settled.held;
      const work = (await store.dueWork(clock.now(), connectionId))[0];
      // What is pending and not due is in another process's hands.
      const dueAt = work?.dueAt ?? clock.now() + LOOK_EVERY_MS;
      round.nextAt = Math.min(round.nextAt, Math.max(dueAt, restUntil));
    }
  } finally {
    await stopShowing();
  }
  return round;
}

/** Returns how to stop it. */
function showStanding({ clock }: Vendors, store: Store, watch: Watch): () => Promise<void> {
  const done = new AbortController();
  const showing = (async () => {
    for (;;) {
      await clock.sleep(LOOK_EVERY_MS, done.signal);
      watch.onStanding(await store.standing(watch.runId), watch.total, DELIVERING_FROM_HERE);
    }
  })().catch((error: unknown) => {
    if (!done.signal.aborted) throw error;
  });
  // Heard of where it is awaited, once the delivery is over.
  showing.catch(() => {});
  return async () => {
    done.abort();
    await showing;
  };
}

/** The connections a command means: the org's production accounts, or the one vendor's. Throws `RECONNECT_NEEDED` for none. */
export async function connectionsOf(
  store: Store,
  org: string,
  vendor: string | undefined,
): Promise<Connection[]> {
  const found = (await store.connections(org)).filter(
    (known) =>
      known.environment === "production" &&
      known.account !== null &&
      (vendor === undefined || known.vendor === vendor),
  );
  if (found.length > 0) return found;
  throw new AppError("RECONNECT_NEEDED", `${org} has no connection to deliver to`, {
    hint: connectCommand({ vendor: vendor ?? DEFAULT_VENDOR, org }),
  });
}
