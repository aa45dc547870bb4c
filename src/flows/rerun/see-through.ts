import type { Connection } from "../../core/connection.ts";
import { stillWaitingError } from "../../core/advice/left-over.ts";
import { MAX_TRIES } from "../../core/delivery/retry.ts";
import { AppError } from "../../shared/errors.ts";
import type { Standing, Store } from "../../store/contract/store.ts";
import type { AccountContext } from "../account/context.ts";
import { deliverTo } from "../deliver/deliver.ts";
import { waitingFor } from "../watch/banner.ts";
import { createPatience, type Patience } from "./patience.ts";

/** A run's pushes on their way to an end: watched while a service delivers them, delivered from here where none lives. */
export interface Queued {
  runId: number;
  org: string;
  connections: readonly Connection[];
  /** What was queued, and what waited already. */
  total: number;
  signal: AbortSignal;
  /** Somebody sees what goes on, and can end it. */
  isAttended: boolean;
  onStanding(standing: Standing, total: number, note: string): void;
  /** Why nothing moves while a service delivers: when it is first known, and when it changes. */
  onWaiting(reason: string): void;
}

/** Why a run ended before all was through; null when nothing is pending any more. */
export type Stop = AppError | "resting" | null;

interface Watch extends Patience {
  /** What was told last. */
  told: string | null;
}

const LOOK_EVERY_MS = 500;
const LEAST_REST_MS = 20;
/** A command does not wait longer for a vendor that wants to be left in peace. */
const LONGEST_REST_MS = 60_000;
const DELIVERING_FROM_HERE = "no service runs: delivering from here";

export async function seeThrough(account: AccountContext, store: Store, queued: Queued): Promise<Stop> {
  const { runId, total, signal, onStanding } = queued;
  const watch: Watch = { ...createPatience(account.clock.now()), told: null };
  let fruitless = 0;
  for (;;) {
    signal.throwIfAborted();
    const standing = await standingOf(store, runId);
    const isServed = (await store.runningServices()).length > 0;
    onStanding(standing, total, isServed ? "" : DELIVERING_FROM_HERE);
    if (standing.pending === 0) return standing.held > 0 ? await vaultTroubleOf(store, queued) : null;
    if (isServed) {
      const stop = await lookOn(account, store, { queued, standing, watch });
      if (stop) return stop;
      await account.clock.sleep(LOOK_EVERY_MS, signal);
      continue;
    }
    const round = await deliverFromHere(account, store, queued);
    signal.throwIfAborted();
    if (round.problem) return round.problem;
    if (round.settled > 0) {
      fruitless = 0;
      continue;
    }
    if (round.retried > 0) fruitless += 1;
    const restMs = round.nextAt - account.clock.now();
    if (fruitless >= MAX_TRIES || restMs > LONGEST_REST_MS) return "resting";
    await account.clock.sleep(Math.max(restMs, LEAST_REST_MS), signal);
  }
}

/** How the pushes stand that a run raised. */
export async function standingOf(store: Store, runId: number): Promise<Standing> {
  const { pending, delivered, rejected, held } = await store.countPushes({ run: { id: runId } });
  return { pending, delivered, rejected, held };
}

/** Tells why nothing moves, and ends where nobody watches and nothing has come of it for long. */
async function lookOn(
  { clock }: AccountContext,
  store: Store,
  { queued, standing, watch }: { queued: Queued; standing: Standing; watch: Watch },
): Promise<AppError | null> {
  const { org, connections, isAttended, onWaiting } = queued;
  const ids = connections.map(({ id }) => id);
  const now = clock.now();
  const found = (await store.connections(org)).filter(({ id }) => ids.includes(id));
  const reasons = found.flatMap((connection) => {
    const words = waitingFor(connection, now);
    return words === null ? [] : [`${connection.vendor}: ${words}`];
  });
  const reason = reasons.length === 0 ? null : reasons.join("; ");
  if (reason !== null && reason !== watch.told) onWaiting(reason);
  watch.told = reason;
  const isOver = watch.isOver(now, standing, reason);
  return isOver && !isAttended ? stillWaitingError({ pending: standing.pending, reason, org }) : null;
}

/** What the service found, where it is the vault that holds results back. */
async function vaultTroubleOf(store: Store, { connections }: Queued): Promise<AppError | null> {
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
async function deliverFromHere(account: AccountContext, store: Store, queued: Queued): Promise<Round> {
  const { clock } = account;
  const { connections, signal } = queued;
  const round: Round = { settled: 0, retried: 0, nextAt: Number.POSITIVE_INFINITY, problem: null };
  const onProblem = (problem: AppError) => {
    round.problem = problem;
  };
  const stopShowing = showStanding(account, store, queued);
  try {
    for (const { id: connectionId } of connections) {
      const options = { connectionId, stop: signal, abort: signal, onProblem };
      const { restUntil, retried, ...settled } = await deliverTo(account, store, options);
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
function showStanding({ clock }: AccountContext, store: Store, queued: Queued): () => Promise<void> {
  const done = new AbortController();
  const showing = (async () => {
    for (;;) {
      await clock.sleep(LOOK_EVERY_MS, done.signal);
      queued.onStanding(await standingOf(store, queued.runId), queued.total, DELIVERING_FROM_HERE);
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
