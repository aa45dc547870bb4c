import type { Command } from "commander";
import { AppError } from "../shared/errors.ts";
import { count } from "../shared/text.ts";
import { type Session, withApp } from "./session/with-app.ts";
import type { World } from "../shared/world.ts";

const JOBS = ["retry", "sweep", "refresh", "subscriptions", "questions", "alerts"] as const;

export function registerRun(program: Command, world: World): void {
  program
    .command("run <job>")
    .description(`run one scheduler job now: ${JOBS.join(", ")}`)
    .addHelpText("after", "\nExample:\n  jc-integrations run sweep")
    .action((job: string, _options: object, command: Command) =>
      withApp(world, command, async (session) => {
        if (job === "retry") return await runRetry(session);
        if (job === "sweep") return await runSweep(session);
        if (job === "refresh") return await runRefresh(session);
        if (job === "subscriptions") return await runSubscriptions(session);
        if (job === "questions") return await runQuestions(session);
        if (job === "alerts") return await runAlerts(session);
        throw new AppError("USAGE", "there is no job of that name", { hint: `Jobs: ${JOBS.join(", ")}` });
      }),
    );
}

/** Delivers what is due now, of all connections. */
async function runRetry({ app, world, print }: Session): Promise<void> {
  const { deliverAll } = await import("../flows/jobs/deliver-all.ts");
  const { problem, ...report } = await deliverAll(app, await app.store(), world.signal);
  print({
    json: report,
    text: () =>
      `${report.delivered} delivered, ${report.rejected} rejected, ${report.held} held, ${report.pending} still waiting`,
  });
  if (problem) throw problem;
}

async function runSweep({ app, world, print }: Session): Promise<void> {
  const { sweepAll } = await import("../flows/rerun/sweep.ts");
  const raised = await sweepAll(app, await app.store(), world.signal);
  print({ json: { raised }, text: () => `${count(raised, "contact")} in progress will be sent.` });
}

async function runRefresh({ app, world, print }: Session): Promise<void> {
  const [{ refreshAll, reconnectNeeded }, { noteVaultTrouble, releaseFromVault }] = await Promise.all([
    import("../flows/connect/refresh.ts"),
    import("../flows/account/vault-trouble.ts"),
  ]);
  const store = await app.store();
  const unreadable = await releaseFromVault(app, store, { signal: world.signal });
  const outcome = await refreshAll(app, store, world.signal);
  const { refreshed } = outcome;
  const failed = outcome.failed.map(({ problem }) => problem.message);
  print({
    json: { refreshed, failed },
    text: () => [`${count(refreshed, "token")} refreshed`, ...failed].join("\n"),
  });
  const locked = outcome.failed.filter(({ problem }) => problem.code === "VAULT_UNAVAILABLE");
  for (const { connection, problem } of locked)
    await noteVaultTrouble({ store, clock: app.clock }, connection, problem);
  const problem = unreadable ?? locked[0]?.problem ?? reconnectNeeded(await store.connections());
  if (problem) throw problem;
}

/** Looks whether the vendors' webhooks still reach us. */
async function runSubscriptions({ app, world, print }: Session): Promise<void> {
  const { checkSubscriptions } = await import("../flows/ats/subscriptions.ts");
  const { checked, failed } = await checkSubscriptions(app, await app.store(), world.signal);
  print({
    json: { checked, failed },
    text: () => [`${count(checked, "subscription")} checked`, ...failed].join("\n"),
  });
}

/** Asks the vendors which test a result belongs to that a webhook told; `serve` does it every minute. */
async function runQuestions({ app, world, print }: Session): Promise<void> {
  const { answerQuestions } = await import("../flows/intake/look-ups.ts");
  const { answered, failed } = await answerQuestions(app, await app.store(), world.signal);
  print({
    json: { answered, failed },
    text: () => [`${count(answered, "question")} answered`, ...failed].join("\n"),
  });
}

/** Tells owners of trouble now; `serve` does it every minute. */
async function runAlerts({ app, world, print }: Session): Promise<void> {
  const { alertOwners } = await import("../flows/watch/alert.ts");
  const { sent, failed } = await alertOwners({ ...app, store: await app.store() }, world.signal);
  print({ json: { sent, failed }, text: () => [`${count(sent, "alert")} sent`, ...failed].join("\n") });
}
