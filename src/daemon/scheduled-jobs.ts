import type { JobContext, JobReport } from "../flows/jobs/job.ts";
import { JOBS } from "../flows/jobs/jobs.ts";
import type { Log } from "../shared/log.ts";
import type { ScheduledJob } from "./scheduler.ts";

/** The jobs that have due times, for the scheduler. All their code is loaded now: an upgrade may replace the files. */
export async function scheduledJobs(context: JobContext): Promise<ScheduledJob[]> {
  const { config, log } = context;
  const loaded = await Promise.all(
    JOBS.map(async ({ name, due, load }) => ({ name, due: due(config), run: await load() })),
  );
  return loaded.flatMap(({ name, due, run }) =>
    due ? [{ name, due, run: async (signal) => tell(log, await run(context, signal)) }] : [],
  );
}

function tell(log: Log, { event, counts, failed }: JobReport): void {
  if (event !== null) log.info(event, { ...counts });
  for (const { reason, isTold } of failed?.tasks ?? [])
    if (failed && !isTold) log.warn(failed.event, { reason });
}
