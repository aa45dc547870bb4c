import type { DueTimes } from "../core/due-times.ts";
import type { Clock } from "../shared/clock.ts";
import type { Log } from "../shared/log.ts";
import type { DueWork, Store } from "../store/contract.ts";

/**
 * Starts what is due: deliveries when there is work, jobs at their times. It keeps no plan of its own; what is
 * due stands in the store, so a restart forgets nothing and several processes share the work.
 */
export interface SchedulerContext {
  store: Pick<Store, "dueWork" | "watch" | "openTick" | "lastTick">;
  clock: Clock;
  log: Log;
  jobs: readonly Job[];
  /** Delivers until nothing is due for the connection, or nothing can be: then not again before `restUntil`. */
  deliver(connectionId: number, signal: AbortSignal): Promise<{ restUntil: number }>;
}

export interface Job {
  name: string;
  due: DueTimes;
  run(signal: AbortSignal): Promise<void>;
}

/** The longest the scheduler trusts the clock: after a jump or a sleep of the machine it looks again. */
const LONGEST_SLEEP_MS = 20_000;

/** Runs until the signal aborts, then waits for what is under way. Throws what a delivery or job throws. */
export async function runScheduler(context: SchedulerContext, signal: AbortSignal): Promise<void> {
  const { store, clock } = context;
  const running = new Map<string, Promise<void>>();
  const resting = new Map<number, { until: number; connectedAt: number | null }>();
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
    const { restUntil } = await context.deliver(connectionId, stop.signal);
    resting.set(connectionId, { until: restUntil, connectedAt });
  };
  /** What could not be delivered with one consent may be with the next. */
  const restOf = ({ connectionId, connectedAt }: DueWork) => {
    const rest = resting.get(connectionId);
    return rest?.connectedAt === connectedAt ? rest.until : 0;
  };

  try {
    while (!stop.signal.aborted) {
      alarm.reset();
      const now = clock.now();
      let wakeAt = now + LONGEST_SLEEP_MS;
      for (const work of await store.dueWork()) {
        const { connectionId, dueAt, connectedAt } = work;
        const startAt = Math.max(dueAt, restOf(work));
        if (startAt <= now) start(`deliver ${connectionId}`, deliver(connectionId, connectedAt));
        else wakeAt = Math.min(wakeAt, startAt);
      }
      for (const { due } of context.jobs) wakeAt = Math.min(wakeAt, due.next(now));
      for (const job of context.jobs)
        await startIfDue(context, job, now, () => start(job.name, () => job.run(stop.signal)));
      await alarm.wait(clock, Math.max(0, wakeAt - clock.now()));
    }
  } finally {
    stop.abort();
    stopWatching();
    signal.removeEventListener("abort", stopOnSignal);
    await Promise.all(running.values());
  }
  if (failures.length > 0) throw failures[0];
}

/**
 * Of several due times missed only the last one is made up: `due.last` names no other. A tick from the future says
 * that the clock was ahead for a while; it must not keep the job from running until then.
 */
async function startIfDue(
  { store, log }: SchedulerContext,
  job: Job,
  now: number,
  run: () => void,
): Promise<void> {
  const dueAt = job.due.last(now);
  const last = await store.lastTick(job.name);
  if (last !== null && last >= dueAt && last <= now) return;
  if (!(await store.openTick(job.name, dueAt))) return;
  log.debug("job", { name: job.name, due: new Date(dueAt).toISOString() });
  run();
}

/** Something to wait for that anyone may ring, also before the waiting begins. */
function createAlarm() {
  let current = new AbortController();
  return {
    // Each `abort` builds an error, and intake rings thousands of times a second.
    ring: () => {
      if (!current.signal.aborted) current.abort();
    },
    reset: () => {
      if (current.signal.aborted) current = new AbortController();
    },
    wait: (clock: Clock, ms: number) => clock.sleep(ms, current.signal).catch(() => {}),
  };
}
