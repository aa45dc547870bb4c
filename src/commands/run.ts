import type { Command } from "commander";
import type { App } from "../app.ts";
import type { Job, JobContext } from "../flows/jobs/job.ts";
import { JOBS } from "../flows/jobs/jobs.ts";
import { AppError } from "../shared/errors.ts";
import { type Session, withApp } from "./session/with-app.ts";
import type { World } from "../shared/world.ts";

const NAMES = JOBS.map(({ name }) => name).join(", ");

export function registerRun(program: Command, world: World): void {
  program
    .command("run <job>")
    .description(`run one scheduler job now: ${NAMES}`)
    .addHelpText("after", `\nJobs:\n${jobLines()}\n\nExample:\n  jc-integrations run sweep`)
    .action((name: string, _options: object, command: Command) =>
      withApp(world, command, async (session) => {
        const job = JOBS.find((each) => each.name === name);
        if (!job) throw new AppError("USAGE", "there is no job of that name", { hint: `Jobs: ${NAMES}` });
        await runJob(session, job);
      }),
    );
}

async function runJob({ app, world, print }: Session, job: Job): Promise<void> {
  const run = await job.load();
  const { counts, text, failed, problem } = await run(await jobContext(app), world.signal);
  const reasons = failed?.tasks.map(({ reason }) => reason);
  print({
    json: { ...counts, ...(reasons ? { failed: reasons } : {}) },
    text: () => [text, ...(reasons ?? [])].join("\n"),
  });
  if (problem) throw problem;
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
  const width = Math.max(...JOBS.map(({ name }) => name.length));
  return JOBS.map(({ name, does }) => `  ${name.padEnd(width)}  ${does}`).join("\n");
}
