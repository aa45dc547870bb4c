import type { DueTimes } from "../core/due-times.ts";
import type { Clock } from "../shared/clock.ts";
import { isAppError } from "../shared/errors.ts";
import type { Log } from "../shared/log.ts";
import type { DueWork, Store } from "../store/contract/store.ts";
import type { StoreTrouble } from "./trouble/store-trouble.ts";

/**
 * Starts what is due: deliveries when there is work, jobs at their times. It keeps no plan of its own; what is
 * due stands in the store, so a restart forgets nothing and several processes share the work. While the store is full
 * or locked it waits.
 */
export interface SchedulerContext {
  store: Pick<Store, "dueWork" | "watch" | "beginTick" | "endTick">;
  clock: Clock;
  log: Log;
  trouble: StoreTrouble;
  jobs: readonly ScheduledJob[];
  /** Delivers until nothing is due for the connection, or nothing can be: then not again before `restUntil`. */
  deliver(connectionId: number, signal: AbortSignal): Promise<{ restUntil: number }>;
}

/** One thing the service does at set times, beside delivering. */
export interface ScheduledJob {
  name: string;
  due: DueTimes;
  /** Run again after a pause where it throws what an operator can act on, or its process is killed. */
  run(signal: AbortSignal): Promise<void>;
}

/** The longest the scheduler trusts the clock: after a jump or a sleep of the machine it looks again. */
const LONGEST_SLEEP_MS = 20_000;

/** Runs until the signal aborts, then waits for what is under way. Throws what is a bug in a delivery or job. */
export async function runScheduler(context: SchedulerContext, signal: AbortSignal): Promise<void> {
  const { store, clock, log, trouble } = context;
  const running = new Map<string, Promise<void>>();
  const resting = new Map<number, { since: number; until: number; connectedAt: number | null }>();
  /** What the store said of each job's due time last. */
  const asked = new Map<string, { dueAt: number; at: number; isDone: boolean }>();
  /** Runs of jobs that are over, which the store could not be told. */
  const untold = new Map<string, { dueAt: number; isDone: boolean }>();
  const alarm = createAlarm();
  const stop = new AbortController();
  const stopOnSignal = () => stop.abort();
  const failures: unknown[] = [];
  const stopWatching = store.watch(alarm.ring);
  stop.signal.addEventListener("abort", alarm.ring);
  if (signal.aborted) stop.abort();
  else signal.addEventListener("abort", stopOnSignal);

  const start = (name: string, work: () => Promise<void>) => {
    if (running.has(name)) return;
    const run = work()
      .catch((error: unknown) => {
        if (!stop.signal.aborted) failures.push(error);
        stop.abort();
      })
      .finally(() => {
        running.delete(name);
        alarm.ring();
      });
    running.set(name, run);
  };
  const deliver = (connectionId: number, connectedAt: number | null) => async () => {
    const until = await context.deliver(connectionId, stop.signal).then(
      ({ restUntil }) => restUntil,
      (error: unknown) => {
        trouble.hear(error);
        return clock.now() + LONGEST_SLEEP_MS;
      },
    );
    resting.set(connectionId, { since: clock.now(), until, connectedAt });
  };
  /** What could not be delivered with one consent may be with the next; a rest from a time to come is none. */
  const restOf = ({ connectionId, connectedAt }: DueWork, now: number) => {
    const rest = resting.get(connectionId);
    return rest?.connectedAt === connectedAt && rest.since <= now ? rest.until : 0;
  };

  let telling: Promise<void> | null = null;
  const tellAll = async () => {
    const ends = [...untold];
    untold.clear();
    const tell = ([name, { dueAt, isDone }]: (typeof ends)[number]) => store.endTick(name, dueAt, isDone);
    const outcomes = await Promise.allSettled(ends.map(tell));
    const failed = ends.filter((_, index) => outcomes[index]?.status === "rejected");
    for (const [name, end] of failed) if (!untold.has(name)) untold.set(name, end);
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  };
  /** What ends while others' ends are told is told together, in one commit. */
  const tellEnds = async () => {
    while (telling) await telling.catch(() => {});
    if (untold.size === 0) return;
    telling = tellAll().finally(() => {
      telling = null;
    });
    await telling;
  };
  const run = (job: ScheduledJob, dueAt: number) => async () => {
    log.debug("job", { name: job.name, due: new Date(dueAt).toISOString() });
    const problem = await job.run(stop.signal).then(
      () => null,
      (error: unknown) => ({ error }),
    );
    untold.set(job.name, { dueAt, isDone: problem === null });
    if (problem === null) asked.set(job.name, { dueAt, at: clock.now(), isDone: true });
    await tellEnds().catch(trouble.hear);
    if (problem === null || stop.signal.aborted) return;
    const { error } = problem;
    if (isAppError(error) && error.code !== "STORE_UNAVAILABLE")
      log.warn("a job failed and is tried again", { name: job.name, reason: error.message });
    else trouble.hear(error);
  };
  const mayAsk = (job: ScheduledJob, dueAt: number, now: number): boolean => {
    const last = asked.get(job.name);
    if (running.has(job.name)) return false;
    if (last?.dueAt !== dueAt) return true;
    return !last.isDone && (now < last.at || now >= last.at + LONGEST_SLEEP_MS);
  };

  /** Starts what is due, and returns when to look again. Of several due times missed only the last one is made up. */
  const startDue = async (): Promise<number> => {
    const now = clock.now();
    let wakeAt = now + LONGEST_SLEEP_MS;
    for (const work of await store.dueWork(now)) {
      const { connectionId, dueAt, connectedAt } = work;
      const startAt = Math.max(dueAt, restOf(work, now));
      if (startAt <= now) start(`deliver ${connectionId}`, deliver(connectionId, connectedAt));
      else wakeAt = Math.min(wakeAt, startAt);
    }
    await tellEnds();
    const ask = async (job: ScheduledJob, dueAt: number) => {
      const { name, due } = job;
      const standing = await store.beginTick({ job: name, dueAt, now, once: due.once });
      asked.set(name, { dueAt, at: now, isDone: standing === "done" });
      if (standing === "ours") start(name, run(job, dueAt));
    };
    for (const { due } of context.jobs) wakeAt = Math.min(wakeAt, due.next(now));
    const mayBeDue = context.jobs
      .map((job) => ({ job, dueAt: job.due.last(now) }))
      .filter(({ job, dueAt }) => mayAsk(job, dueAt, now));
    // Together, so that they share a commit; what the store refuses one job keeps no other from its run.
    const outcomes = await Promise.allSettled(mayBeDue.map(({ job, dueAt }) => ask(job, dueAt)));
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
    trouble.passed();
    return wakeAt;
  };

  try {
    while (!stop.signal.aborted) {
      alarm.reset();
      const wakeAt = await startDue().catch((error: unknown) => {
        trouble.hear(error);
        return clock.now() + LONGEST_SLEEP_MS;
      });
      const restMs = wakeAt - clock.now();
      if (restMs > 0) await alarm.wait(clock, restMs);
    }
  } finally {
    stop.abort();
    stopWatching();
    signal.removeEventListener("abort", stopOnSignal);
    await Promise.all(running.values());
  }
  if (failures.length > 0) throw failures[0];
}

/** Something to wait for that anyone may ring, also before the waiting begins. */
function createAlarm() {
  let current = new AbortController();
  return {
    // Without a reason each `abort` builds an error with its stack, and intake rings thousands of times a second.
    ring: () => {
      if (!current.signal.aborted) current.abort("rung");
    },
    reset: () => {
      if (current.signal.aborted) current = new AbortController();
    },
    wait: (clock: Clock, ms: number) => clock.sleep(ms, current.signal).catch(() => {}),
  };
}
