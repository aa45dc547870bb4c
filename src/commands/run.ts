import type { Command } from "commander";
import type { App } from "../app.ts";
import type { Job, JobContext, JobOption } from "../flows/jobs/job.ts";
import { JOBS } from "../flows/jobs/jobs.ts";
import { notCompactedHere } from "../core/advice/database.ts";
import { servedLog } from "../core/advice/served-log.ts";
import { AppError } from "../shared/errors.ts";
import { isPostgres } from "../shared/store-url.ts";
import { shortBytes } from "../shared/text.ts";
import type { Compacted } from "../store/sqlite/compact-log.ts";
import { itemLines } from "./session/item-lines.ts";
import { refuseMistyped } from "./session/log-to-read.ts";
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
      `\nJobs:\n${jobLines()}\n\nFor all orgs, or with --org for that one: ${takers("org")}.\nThe others are of the whole log.\n\nExamples:\n  jc-integrations run sweep\n  jc-integrations run retention --dry-run`,
    )
    .action((name: string, options: RunOptions, command: Command) =>
      withApp(world, command, async (session) => {
        const job = JOBS.find((each) => each.name === name);
        if (!job) throw new AppError("USAGE", "there is no job of that name", { hint: `Jobs: ${NAMES}` });
        refuseOthersOptions(job, { ...options, org: session.globals.org });
        await refuseMistyped(session);
        await runJob(session, job, options);
      }),
    );
}

interface RunOptions {
  dryRun?: true;
  compact?: true;
}

function refuseOthersOptions(
  { name, takes = [] }: Job,
  options: RunOptions & { org: string | undefined },
): void {
  const asked: Record<JobOption, boolean> = {
    "dry-run": options.dryRun === true,
    compact: options.compact === true,
    org: options.org !== undefined,
  };
  for (const option of ["dry-run", "compact", "org"] as const)
    if (asked[option] && !takes.includes(option))
      throw new AppError("USAGE", `${name} takes no --${option}`, {
        hint: `${option === "org" ? "It is of the whole log: leave out --org. " : ""}Jobs that do: ${takers(option)}`,
      });
  if (asked["dry-run"] && asked.compact)
    throw new AppError("USAGE", "--dry-run changes nothing, and --compact writes the whole log anew", {
      hint: "Leave one of them out.",
    });
}

async function runJob(session: Session, job: Job, options: RunOptions): Promise<void> {
  const { app, world, print, terminal, globals } = session;
  const run = await job.load();
  // Before anything is removed: a service is a reason to do nothing.
  if (options.compact && isPostgres(app.config["store.url"])) throw notCompactedHere();
  if (options.compact) await refuseService(app);
  const isDryRun = options.dryRun === true;
  const progress = terminal.progress("removing", null);
  const isWatched = world.io.stderrIsTerminal && !globals.json && !isDryRun;
  const onProgress = (rows: number) => isWatched && progress.set(rows, "rows");
  const context = { ...(await jobContext(app, globals.org)), isDryRun, onProgress };
  const { counts, text, failed, problem } = await run(context, world.signal).finally(progress.end);
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

/** `org`: where one is typed; else the job is of all. */
async function jobContext(app: App, org: string | undefined): Promise<JobContext> {
  const [{ noteVaultTrouble, releaseFromVault }, { ofOrg }] = await Promise.all([
    import("../flows/account/vault-trouble.ts"),
    import("../flows/jobs/of-org.ts"),
  ]);
  const whole = await app.store();
  const store = org === undefined ? whole : ofOrg(whole, org);
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
