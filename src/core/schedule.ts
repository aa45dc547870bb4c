/**
 * Decides what the service starts: deliveries where there is work, jobs at their times. `daemon/scheduler.ts` looks what is
 * due, does what is decided, and tells what came of it. Points in time are ms since the epoch.
 *
 * - rest: a delivery said that nothing can be delivered before.
 * - missed: a job's due time that came while nobody looked. Those of a day give way to what is due to vendors.
 */
import type { DueTimes } from "./due-times.ts";

/** The longest the clock is trusted: after a jump or a sleep of the machine all is looked at again. */
export const LONGEST_SLEEP_MS = 20_000;
/** What another service does is done here so soon after that one has gone. */
const LOOK_AT_OTHERS_MS = 5_000;
/**
 * How soon, at the earliest and at the latest, a store that failed is asked again: it may be back at any time, and then not all
 * machines come at once.
 */
const AGAIN_AFTER_MS = { least: 500, most: 1_000 } as const;
/** So long at most a missed job gives way, from when it is seen. */
const GIVES_WAY_MS = 60_000;

/** A connection that has something to deliver, and by which consent it stands. */
export interface DueDelivery {
  connectionId: number;
  dueAt: number;
  connectedAt: number | null;
}

export interface TimedJob {
  name: string;
  due: DueTimes;
}

/** What is known by now: plain data, whose fields are replaced and never changed in place. */
export interface Schedule {
  hasLooked: boolean;
  /** Could the store not even be read? */
  isAway: boolean;
  delivering: ReadonlySet<number>;
  rests: ReadonlyMap<number, { since: number; until: number; connectedAt: number | null }>;
  /** How often in a row the store failed a connection's delivery. */
  storeFailures: ReadonlyMap<number, number>;
  running: ReadonlySet<string>;
  /** By the job's name, of its newest due time. */
  jobs: ReadonlyMap<string, JobNotes>;
}

interface JobNotes {
  dueAt: number;
  seenAt: number;
  isMissed: boolean;
  /** When the store was asked last whether it is to run; null before. */
  askedAt: number | null;
  isDone: boolean;
}

/** What happened since the last look. */
export type ScheduleEvent =
  | { kind: "store away" }
  | { kind: "store answered" }
  | ({ kind: "delivered"; restUntil: number } & Delivered)
  | ({ kind: "store failed" } & Delivered)
  /** `ours`: it runs here now. `later`: it runs elsewhere, or rests. */
  | { kind: "asked"; name: string; dueAt: number; standing: "ours" | "done" | "later" }
  | { kind: "ran"; name: string; dueAt: number; isDone: boolean };

type Delivered = Pick<DueDelivery, "connectionId" | "connectedAt">;

/** When it is, and where jitter comes from: 0 ≤ x < 1. */
export interface Moment {
  now: number;
  random: () => number;
}

/** What was seen to be due. */
export interface Seen<Job extends TimedJob> {
  work: readonly DueDelivery[];
  jobs: readonly Job[];
  /** Another service does all that is due: here none of it could be done. */
  isLeftToOthers: boolean;
  now: number;
}

export interface Look<Job extends TimedJob> {
  schedule: Schedule;
  /** Under way from now on. */
  deliver: readonly DueDelivery[];
  /** May be due: the store says whether they run here. */
  ask: readonly { job: Job; dueAt: number }[];
  /** When to look again. */
  wakeAt: number;
}

export function emptySchedule(): Schedule {
  return {
    hasLooked: false,
    isAway: false,
    delivering: new Set(),
    rests: new Map(),
    storeFailures: new Map(),
    running: new Set(),
    jobs: new Map(),
  };
}

export function againAfterMs(random: () => number): number {
  const { least, most } = AGAIN_AFTER_MS;
  return least + (most - least) * random();
}

/** Of several due times missed only the last one is made up. */
export function look<Job extends TimedJob>(before: Schedule, seen: Seen<Job>): Look<Job> {
  const { work, jobs, isLeftToOthers, now } = seen;
  if (isLeftToOthers) return { schedule: before, deliver: [], ask: [], wakeAt: now + LOOK_AT_OTHERS_MS };
  const begins = work.map((each) => ({ each, at: Math.max(each.dueAt, restOf(before, each, now)) }));
  const deliver = begins
    .filter(({ each, at }) => at <= now && !before.delivering.has(each.connectionId))
    .map(({ each }) => each);
  const delivering = new Set([...before.delivering, ...deliver.map(({ connectionId }) => connectionId)]);
  const known = jobs.map((job) => ({ job, notes: notesOf(before, job, now), nextAt: job.due.next(now) }));
  const open = known
    .filter(({ job, notes }) => !before.running.has(job.name) && mayAsk(notes, now))
    .map(({ job, notes }) => ({
      job,
      dueAt: notes.dueAt,
      at: delivering.size > 0 ? givesWayUntil(notes, now) : now,
    }));
  const times = [...begins, ...open].map(({ at }) => at).filter((at) => at > now);
  return {
    schedule: {
      ...before,
      hasLooked: true,
      delivering,
      jobs: new Map(known.map(({ job, notes }) => [job.name, notes])),
    },
    deliver,
    ask: open.filter(({ at }) => at <= now).map(({ job, dueAt }) => ({ job, dueAt })),
    wakeAt: Math.min(now + LONGEST_SLEEP_MS, ...times, ...known.map(({ nextAt }) => nextAt)),
  };
}

/** What could not be delivered with one consent may be with the next; a rest from a time to come is none. */
function restOf({ rests }: Schedule, { connectionId, connectedAt }: DueDelivery, now: number): number {
  const rest = rests.get(connectionId);
  return rest?.connectedAt === connectedAt && rest.since <= now ? rest.until : 0;
}

/** Of the newest due time; each is seen anew. */
function notesOf({ jobs, hasLooked }: Schedule, { name, due }: TimedJob, now: number): JobNotes {
  const dueAt = due.last(now);
  const notes = jobs.get(name);
  if (notes?.dueAt === dueAt) return notes;
  const isLate = !hasLooked || now - dueAt > LONGEST_SLEEP_MS;
  const isMissed = due.once && isLate && !due.isWished(dueAt);
  return { dueAt, seenAt: now, isMissed, askedAt: null, isDone: false };
}

function mayAsk({ askedAt, isDone }: JobNotes, now: number): boolean {
  if (askedAt === null) return true;
  return !isDone && (now < askedAt || now >= askedAt + LONGEST_SLEEP_MS);
}

/** Since a time that is yet to come, by a clock that was set back, nobody gives way. */
function givesWayUntil({ isMissed, seenAt }: JobNotes, now: number): number {
  return isMissed && seenAt <= now ? seenAt + GIVES_WAY_MS : now;
}

/** What is known after it. */
export function noted(before: Schedule, event: ScheduleEvent, moment: Moment): Schedule {
  switch (event.kind) {
    case "store away":
      return { ...before, isAway: true };
    case "store answered":
      return before.isAway ? afterAbsence(before) : before;
    case "delivered":
      return {
        ...rested(before, event, { until: event.restUntil, now: moment.now }),
        storeFailures: without(before.storeFailures, event.connectionId),
      };
    case "store failed":
      return afterStoreFailure(before, event, moment);
    case "asked":
      return afterAsking(before, event, moment.now);
    case "ran":
      return afterRun(before, event);
  }
}

/** What failed because the store was away rests no longer. */
function afterAbsence(before: Schedule): Schedule {
  const rests = new Map(
    [...before.rests].filter(([connectionId]) => !before.storeFailures.has(connectionId)),
  );
  return { ...before, isAway: false, rests, storeFailures: new Map() };
}

/** A full disk takes small writes now and then: each try may tell the vendor once more what cannot be settled. */
function afterStoreFailure(before: Schedule, ended: Delivered, { now, random }: Moment): Schedule {
  const failures = before.storeFailures.get(ended.connectionId) ?? 0;
  const until = now + Math.min(againAfterMs(random) * 2 ** failures, LONGEST_SLEEP_MS);
  return {
    ...rested(before, ended, { until, now }),
    storeFailures: new Map(before.storeFailures).set(ended.connectionId, failures + 1),
  };
}

/** The delivery is over, and the next one begins `until` then at the earliest. */
function rested(
  before: Schedule,
  { connectionId, connectedAt }: Delivered,
  { until, now }: { until: number; now: number },
): Schedule {
  const delivering = new Set([...before.delivering].filter((each) => each !== connectionId));
  const rests = new Map(before.rests).set(connectionId, { since: now, until, connectedAt });
  return { ...before, delivering, rests };
}

function afterAsking(
  before: Schedule,
  event: Extract<ScheduleEvent, { kind: "asked" }>,
  now: number,
): Schedule {
  const { name, dueAt, standing } = event;
  const asked = noteJob(before, { name, dueAt }, { askedAt: now, isDone: standing === "done" });
  return standing === "ours" ? { ...asked, running: new Set([...before.running, name]) } : asked;
}

/** One that was not done is asked for again after a while. */
function afterRun(
  before: Schedule,
  { name, dueAt, isDone }: Extract<ScheduleEvent, { kind: "ran" }>,
): Schedule {
  const ran = { ...before, running: new Set([...before.running].filter((each) => each !== name)) };
  return isDone ? noteJob(ran, { name, dueAt }, { isDone }) : ran;
}

/** Of a due time that is not the newest any more nothing need be known. */
function noteJob(
  before: Schedule,
  { name, dueAt }: { name: string; dueAt: number },
  news: Partial<JobNotes>,
): Schedule {
  const notes = before.jobs.get(name);
  if (notes?.dueAt !== dueAt) return before;
  return { ...before, jobs: new Map(before.jobs).set(name, { ...notes, ...news }) };
}

function without<Key, Value>(map: ReadonlyMap<Key, Value>, key: Key): ReadonlyMap<Key, Value> {
  return new Map([...map].filter(([each]) => each !== key));
}
