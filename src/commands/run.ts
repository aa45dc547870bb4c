import type { Command } from "commander";
import type { App } from "../app.ts";
import type { Job, JobContext, JobOption } from "../flows/jobs/job.ts";
import { JOBS } from "../flows/jobs/jobs.ts";
import { servedLog } from "../core/advice/served-log.ts";
import { AppError } from "../shared/errors.ts";
import { shortBytes } from "../shared/text.ts";
import type { Compacted } from "../store/sqlite/compact-log.ts";
import { itemLines } from "./session/item-lines.ts";
import { type Session, withApp } from "./session/with-app.ts";
import type { World } from "../shared/world.ts";

const NAMES = JOBS.map(({ name }) => name).join(", ");

export function registerRun(program: Command, world: World): void {
  program
    .command("run")
    .argument("<job>", "one of the jobs below")
    .description("run one scheduler job now")
    .option("--dry-run", `say what it would do, and change nothing (${takers("dry-run")})`)
    .option(
      "--compact",
      `then write the log anew without what is free in it; serve must be stopped (${takers("compact")})`,
    )
    .addHelpText(
      "after",
      `\nJobs:\n${jobLines()}\n\nExamples:\n  jc-integrations run sweep\n  jc-integrations run retention --dry-run`,
    )
    .action((name: string, options: RunOptions, command: Command) =>
      withApp(world, command, async (session) => {
        const job = JOBS.find((each) => each.name === name);
        if (!job) throw new AppError("USAGE", "there is no job of that name", { hint: `Jobs: ${NAMES}` });
        refuseOthersOptions(job, options);
        await runJob(session, job, options);
      }),
    );
}

interface RunOptions {
  dryRun?: true;
  compact?: true;
}

function refuseOthersOptions({ name, takes = [] }: Job, options: RunOptions): void {
  const asked: Record<JobOption, boolean> = {
    "dry-run": options.dryRun === true,
    compact: options.compact === true,
  };
  for (const option of ["dry-run", "compact"] as const)
    if (asked[option] && !takes.includes(option))
      throw new AppError("USAGE", `${name} takes no --${option}`, {
        hint: `Jobs that do: ${takers(option)}`,
      });
  if (asked["dry-run"] && asked.compact)
    throw new AppError("USAGE", "--dry-run changes nothing, and --compact writes the whole log anew", {
      hint: "Leave one of them out.",
    });
}

async function runJob({ app, world, print }: Session, job: Job, options: RunOptions): Promise<void> {
  const run = await job.load();
  // Before anything is removed: a service is a reason to do nothing.
  if (options.compact) await refuseService(app);
  const context = { ...(await jobContext(app)), isDryRun: options.dryRun === true };
  const { counts, text, failed, problem } = await run(context, world.signal);
  const reasons = failed?.tasks.map(({ reason }) => reason);
  const compacted = options.compact ? await app.compactLog() : null;
  print({
    json: { ...counts, ...(compacted ?? {}), ...(reasons ? { failed: reasons } : {}) },
    text: () => [text, ...(compacted ? [compactedWords(compacted)] : []), ...(reasons ?? [])].join("\n"),
  });
  if (problem) throw problem;
}

async function refuseService(app: App): Promise<void> {
  const services = await (await app.store()).runningServices();
  if (services.length > 0) throw servedLog();
}

function compactedWords({ bytesBefore, bytesAfter }: Compacted): string {
  return `The log was written anew: ${shortBytes(bytesBefore)} before, ${shortBytes(bytesAfter)} now.`;
}

/** The jobs that take this option. */
function takers(option: JobOption): string {
  return JOBS.filter(({ takes = [] }) => takes.includes(option))
    .map(({ name }) => name)
    .join(", ");
}

async function jobContext(app: App): Promise<JobContext> {
  const { noteVaultTrouble, releaseFromVault } = await import("../flows/account/vault-trouble.ts");
  const store = await app.store();
  return {
    ...app,
    store,
    insists: true,
    secrets: app.vault,
    tokenTrouble: {
      release: (signal) => releaseFromVault(app, store, { signal }),
      note: (connection, problem) => noteVaultTrouble({ store, clock: app.clock }, connection, problem),
    },
  };
}

function jobLines(): string {
  return itemLines(JOBS.map(({ name, does }) => [name, does]));
}
