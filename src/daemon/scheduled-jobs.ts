import { hurriedDue } from "../core/due-times.ts";
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

/** The jobs that have due times, for the scheduler. All their code is loaded now: an upgrade may replace the files. */
export async function scheduledJobs(
  context: JobContext,
  { jobEnded }: Pick<Observers, "jobEnded">,
): Promise<ScheduledJobs> {
  const { config, clock, log } = context;
  const hurries = new Map<string, (now: number) => void>();
  const schedule = async ({ name, due: dueIn, load }: Job): Promise<ScheduledJob[]> => {
    const times = dueIn(config);
    const run = await load();
    if (times === null) return [];
    const { due, hurry } = hurriedDue(times);
    hurries.set(name, hurry);
    const runOnce: ScheduledJob["run"] = async (signal) => {
      const report = await run(context, signal).catch((error: unknown) => {
        if (!signal.aborted) jobEnded(name, "failed");
        throw error;
      });
      jobEnded(name, (report.failed?.tasks.length ?? 0) > 0 ? "partly" : "done");
      tell(log, report);
      if (report.isLeft) hurry(clock.now());
      if (report.hurries !== undefined) hurries.get(report.hurries)?.(clock.now());
    };
    return [{ name, due, run: runOnce }];
  };
  const jobs = (await Promise.all(JOBS.map(schedule))).flat();
  return { jobs, hurry: (name) => hurries.get(name)?.(clock.now()) };
}

function tell(log: Log, { event, counts, failed, warning = null }: JobReport): void {
  if (event !== null) log.info(event, { ...counts });
  if (warning !== null) log.warn(warning);
  for (const { reason, isTold } of failed?.tasks ?? [])
    if (failed && !isTold) log.warn(failed.event, { reason });
}
