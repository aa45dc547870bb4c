import { hurriedDue, restingDue } from "../core/due-times.ts";
import type { Job, JobContext, JobReport } from "../flows/jobs/job.ts";
import { JOBS } from "../flows/jobs/jobs.ts";
import type { Log } from "../shared/log.ts";
import type { Observers } from "./metrics/metrics.ts";
import type { ScheduledJob } from "./scheduler.ts";

export interface ScheduledJobs {
  jobs: readonly ScheduledJob[];
  /** Work came for the job of that name: it is due soon, beside its own times. */
  hurry(name: string): void;
}

/** Where only a change of the log brings something to do, it is looked for all the same at the full minute after this. */
const REST_MS = 4.5 * 60_000;
const LONGEST_REST_MS = 60 * 60_000;

/** The jobs that have due times, for the scheduler. All their code is loaded now: an upgrade may replace the files. */
export async function scheduledJobs(
  context: JobContext,
  { jobEnded }: Pick<Observers, "jobEnded">,
): Promise<ScheduledJobs> {
  const { config, clock, log, store } = context;
  const rests = createRests(clock);
  store.watch(rests.wake);
  const hurries = new Map<string, (now: number) => void>();
  const schedule = async ({ name, due: dueIn, load }: Job): Promise<ScheduledJob[]> => {
    const times = dueIn(config);
    const run = await load();
    if (times === null) return [];
    const resting = restingDue(times);
    const { due, hurry } = hurriedDue(resting.due);
    hurries.set(name, hurry);
    const runOnce: ScheduledJob["run"] = async (signal) => {
      const isUnchanged = rests.unchangedFromNow();
      const report = await run(context, signal).catch((error: unknown) => {
        if (!signal.aborted) jobEnded(name, "failed");
        throw error;
      });
      jobEnded(name, (report.failed?.tasks.length ?? 0) > 0 ? "partly" : "done");
      tell(log, report);
      if (report.restsUntil !== undefined && isUnchanged()) rests.begin(resting, report.restsUntil);
      if (report.isLeft) hurry(clock.now());
      if (report.hurries !== undefined) hurries.get(report.hurries)?.(clock.now());
    };
    return [{ name, due, run: runOnce }];
  };
  const jobs = (await Promise.all(JOBS.map(schedule))).flat();
  return { jobs, hurry: (name) => hurries.get(name)?.(clock.now()) };
}

type Resting = ReturnType<typeof restingDue>;

/** Jobs with nothing to do pass over their times until the log changes. */
function createRests(clock: JobContext["clock"]) {
  const begun = new Set<Resting>();
  let changes = 0;
  return {
    /** Called thousands of times a second while webhooks come. */
    wake: () => {
      changes += 1;
      if (begun.size === 0) return;
      for (const { wake } of begun) wake(clock.now());
      begun.clear();
    },
    begin: (resting: Resting, until: number) => {
      const now = clock.now();
      resting.rest(
        now,
        until === Number.POSITIVE_INFINITY ? now + REST_MS : Math.min(until, now + LONGEST_REST_MS),
      );
      begun.add(resting);
    },
    /** Is the log still as it was? What a job found may be no more true by its end. */
    unchangedFromNow: () => {
      const before = changes;
      return () => changes === before;
    },
  };
}

function tell(log: Log, { event, counts, failed, warning = null }: JobReport): void {
  if (event !== null) log.info(event, { ...counts });
  if (warning !== null) log.warn(warning);
  for (const { reason, isTold } of failed?.tasks ?? [])
    if (failed && !isTold) log.warn(failed.event, { reason });
}
