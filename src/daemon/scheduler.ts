import {
  againAfterMs,
  type DueDelivery,
  emptySchedule,
  LONGEST_SLEEP_MS,
  look,
  noted,
  type ScheduleEvent,
  type TimedJob,
} from "../core/schedule.ts";
import type { Clock } from "../shared/clock.ts";
import { isAppError } from "../shared/errors.ts";
import type { Log } from "../shared/log.ts";
import type { Store } from "../store/contract/store.ts";
import type { StoreTrouble } from "./trouble/store-trouble.ts";

/**
 * Starts what is due: deliveries when there is work, jobs at their times. What is started when is decided in
 * `core/schedule.ts`. What is due stands in the store, so a restart forgets nothing and several processes share the work. While
 * the store is full or locked it waits.
 */
export interface SchedulerContext {
  store: Pick<Store, "dueWork" | "watch" | "beginTick" | "endTick">;
  clock: Clock;
  /** From 0 up to 1. */
  random(): number;
  log: Log;
  trouble: Pick<StoreTrouble, "hear">;
  /** Another service does all that is due: here none of it could be done. */
  isLeftToOthers(): Promise<boolean>;
  jobs: readonly ScheduledJob[];
  /** Delivers until nothing is due for the connection, or nothing can be: then not again before `restUntil`. */
  deliver(connectionId: number, signal: AbortSignal): Promise<{ restUntil: number }>;
}

/** One thing the service does at set times, beside delivering. */
export interface ScheduledJob extends TimedJob {
  /** Run again after a pause where it throws what an operator can act on, or its process is killed. */
  run(signal: AbortSignal): Promise<void>;
}

/** Jobs that began together end at about the same time: the store is told, and asked what is due, once for all of them. */
const ENDS_WITHIN_MS = 5;

/** Runs until the signal aborts, then waits for what is under way. Throws what is a bug in a delivery or job. */
export async function runScheduler(context: SchedulerContext, signal: AbortSignal): Promise<void> {
  const { store, clock } = context;
  const alarm = createAlarm();
  const tasks = createTasks(signal);
  const ends = createEnds(store);
  const startDue = createStartDue(context, { alarm, tasks, ends });
  const stopWatching = store.watch(alarm.ring);
  tasks.stop.addEventListener("abort", alarm.ring);
  try {
    while (!tasks.stop.aborted) {
      alarm.reset();
      const restMs = (await startDue()) - clock.now();
      if (restMs > 0) await alarm.wait(clock, restMs);
    }
  } finally {
    stopWatching();
    await tasks.end();
    alarm.end();
    // What cannot be told now is run again by the next process.
    await ends.tell().catch(() => {});
  }
  tasks.throwFailure();
}

interface Parts {
  alarm: Alarm;
  tasks: Tasks;
  ends: Ends;
}

/** Starts what is due each time that it is called, and returns when to call it again. */
function createStartDue(context: SchedulerContext, parts: Parts): () => Promise<number> {
  const { store, clock, random, trouble, jobs } = context;
  const { alarm, tasks, ends } = parts;
  let schedule = emptySchedule();
  const note = (event: ScheduleEvent) => {
    schedule = noted(schedule, event, { now: clock.now(), random });
  };
  const dueWork = async (now: number) => {
    const work = await store.dueWork(now).catch((error: unknown) => {
      note({ kind: "store away" });
      throw error;
    });
    note({ kind: "store answered" });
    return work;
  };
  const deliver = async (due: DueDelivery) => {
    note(await delivered(context, due, tasks.stop));
    alarm.ring();
  };
  const run = async (job: ScheduledJob, dueAt: number) => {
    await ran(context, { job, dueAt, stop: tasks.stop }, (isDone) => {
      ends.add(job.name, { dueAt, isDone });
      note({ kind: "ran", name: job.name, dueAt, isDone });
    });
    alarm.ringWithin(ENDS_WITHIN_MS);
  };
  const ask = async (job: ScheduledJob, dueAt: number, now: number) => {
    const { name, due } = job;
    const standing = await store.beginTick({ job: name, dueAt, now, once: due.once });
    note({ kind: "asked", name, dueAt, standing });
    if (standing === "ours") tasks.begin(() => run(job, dueAt));
  };
  const startDue = async () => {
    const now = clock.now();
    const work = await dueWork(now);
    const isLeftToOthers = await context.isLeftToOthers();
    const found = look(schedule, { work, jobs, isLeftToOthers, now });
    schedule = found.schedule;
    for (const due of found.deliver) tasks.begin(() => deliver(due));
    await ends.tell();
    // Together, so that they share a commit; what the store refuses one job keeps no other from its run.
    await allOf(found.ask.map(({ job, dueAt }) => ask(job, dueAt, now)));
    return found.wakeAt;
  };
  return () =>
    startDue().catch(async (error: unknown) => {
      trouble.hear(error);
      if (!schedule.isAway) return clock.now() + LONGEST_SLEEP_MS;
      // Whoever rings meanwhile is heard afterwards.
      await clock.sleep(againAfterMs(random), tasks.stop).catch(() => {});
      return clock.now();
    });
}

async function delivered(
  { deliver, trouble }: SchedulerContext,
  { connectionId, connectedAt }: DueDelivery,
  stop: AbortSignal,
): Promise<ScheduleEvent> {
  try {
    const { restUntil } = await deliver(connectionId, stop);
    return { kind: "delivered", connectionId, connectedAt, restUntil };
  } catch (error) {
    trouble.hear(error);
    return { kind: "store failed", connectionId, connectedAt };
  }
}

/** `onEnd` comes before anybody hears what went wrong. */
async function ran(
  { log, trouble }: SchedulerContext,
  { job, dueAt, stop }: { job: ScheduledJob; dueAt: number; stop: AbortSignal },
  onEnd: (isDone: boolean) => void,
): Promise<void> {
  log.debug("job", { name: job.name, due: new Date(dueAt).toISOString() });
  try {
    await job.run(stop);
  } catch (error) {
    onEnd(false);
    if (stop.aborted) return;
    if (isAppError(error) && error.code !== "STORE_UNAVAILABLE")
      log.warn("a job failed and is tried again", { name: job.name, reason: error.message });
    else trouble.hear(error);
    return;
  }
  onEnd(true);
}

type Tasks = ReturnType<typeof createTasks>;

/** What is under way. The first that fails has all others end. */
function createTasks(signal: AbortSignal) {
  const stop = new AbortController();
  const stopOnSignal = () => stop.abort();
  const underWay = new Set<Promise<void>>();
  const failures: unknown[] = [];
  if (signal.aborted) stop.abort();
  else signal.addEventListener("abort", stopOnSignal);
  return {
    stop: stop.signal,
    begin: (work: () => Promise<void>) => {
      const task = work()
        .catch((error: unknown) => {
          if (!stop.signal.aborted) failures.push(error);
          stop.abort();
        })
        .finally(() => underWay.delete(task));
      underWay.add(task);
    },
    end: async () => {
      stop.abort();
      signal.removeEventListener("abort", stopOnSignal);
      await Promise.all(underWay);
    },
    throwFailure: () => {
      if (failures.length > 0) throw failures[0];
    },
  };
}

type Ends = ReturnType<typeof createEnds>;

/** Runs of jobs that are over, until the store is told. */
function createEnds(store: SchedulerContext["store"]) {
  const untold = new Map<string, { dueAt: number; isDone: boolean }>();
  return {
    add: (name: string, end: { dueAt: number; isDone: boolean }) => void untold.set(name, end),
    tell: async () => {
      const ends = [...untold];
      untold.clear();
      await allOf(
        ends.map(([name, end]) =>
          store.endTick(name, end.dueAt, end.isDone).catch((error: unknown) => {
            if (!untold.has(name)) untold.set(name, end);
            throw error;
          }),
        ),
      );
    },
  };
}

/** Waits for all of them, whatever becomes of one; then throws the first thing that went wrong. */
async function allOf(promises: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(promises))
    if (outcome.status === "rejected") throw outcome.reason;
}

type Alarm = ReturnType<typeof createAlarm>;

/** Something to wait for that anyone may ring, also before the waiting begins. */
function createAlarm() {
  let current = new AbortController();
  let ringing: NodeJS.Timeout | undefined;
  // Without a reason each `abort` builds an error with its stack, and intake rings thousands of times a second.
  const ring = () => {
    if (!current.signal.aborted) current.abort("rung");
  };
  return {
    ring,
    ringWithin: (ms: number) => {
      clearTimeout(ringing);
      ringing = setTimeout(ring, ms);
    },
    end: () => clearTimeout(ringing),
    reset: () => {
      if (current.signal.aborted) current = new AbortController();
    },
    wait: (clock: Clock, ms: number) => clock.sleep(ms, current.signal).catch(() => {}),
  };
}
