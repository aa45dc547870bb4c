import { serviceCommand } from "../core/advice/command-lines.ts";
import { nextAfterInstall } from "../core/advice/systemd.ts";
import type { Command } from "commander";
import { globalKeys, variableOf } from "../shared/config-keys.ts";
import type { Environment } from "../shared/config.ts";
import { AppError } from "../shared/errors.ts";
import type { Output, World } from "../shared/world.ts";
import type { ServicePlan } from "../systemd/plan.ts";
import type { Runner } from "../systemd/runner.ts";
import { VENDORS } from "../vendors/index.ts";
import { exec } from "./service-exec.ts";
import { showStatus } from "./service-status.ts";
import {
  findInstalled,
  programOf,
  runnerFor,
  type ScopeOptions,
  scopeIn,
} from "./session/installed-service.ts";
import { withoutApp } from "./session/with-app.ts";

type PlanOptions = ScopeOptions & { dryRun?: boolean };

export function registerService(
  program: Command,
  world: World,
  treeOf: (argv: readonly string[]) => Promise<Command>,
): void {
  const service = program
    .command("service")
    .description("`serve` as a systemd service")
    .addHelpText("after", "\nExample:\n  sudo jc-integrations service install --system --org acme");
  const declare = (name: string, description: string) =>
    service
      .command(name)
      .description(description)
      .option("--system", "the machine's, under a user of its own (needs root)")
      .option("--user", "your own");

  declare("install", "write its units and what they need, start it; a second time changes nothing")
    .option("--dry-run", "show the plan with the unit's text, change nothing")
    .addHelpText("after", "\nExample:\n  sudo jc-integrations service install --system --org acme")
    .action((options: PlanOptions, command: Command) =>
      withoutApp(world, command, (output) => install(output, options)),
    );

  declare("uninstall", "stop it and remove its units; state and configuration stay")
    .option("--dry-run", "show the plan, change nothing")
    .addHelpText("after", "\nExample:\n  sudo jc-integrations service uninstall --dry-run")
    .action((options: PlanOptions, command: Command) =>
      withoutApp(world, command, (output) => uninstall(output, options)),
    );

  declare("status", "does it run, and where do its parts rest")
    .addHelpText("after", "\nExample:\n  jc-integrations service status")
    .action((options: ScopeOptions, command: Command) =>
      withoutApp(world, command, (output) => showStatus(output, options)),
    );

  declare(
    "exec <words...>",
    "run a command with the service's user, directories and vault key; a file it names is read with your rights",
  )
    .addHelpText(
      "after",
      "\nExamples:\n  sudo jc-integrations service exec -- connect hubspot --no-browser\n  sudo jc-integrations service exec -- invites import events.ndjson",
    )
    .action((words: string[], options: ScopeOptions, command: Command) =>
      withoutApp(world, command, (output) => exec(output, options, { words, treeOf })),
    );
}

async function install(output: Output, options: PlanOptions): Promise<void> {
  const { world, globals } = output;
  const scope = scopeIn(options);
  if (scope === null) {
    throw new AppError("USAGE", "whose service is it to be?", {
      hint: "--system for the machine's, --user for your own",
    });
  }
  if (globals.config !== undefined || globals.stateDir !== undefined) {
    throw new AppError("USAGE", "a service has places of its own: no --config, no --state-dir", {
      hint: `They are shown by: ${serviceCommand("install", `--${scope}`, "--dry-run")}`,
    });
  }
  for (const name of ["JC_CONFIG", "JC_STATE_DIR"]) {
    if (!world.env[name]) continue;
    throw new AppError("USAGE", `a service has places of its own: it would not see this shell's ${name}`, {
      hint: `unset ${name}, then run this again; the places are shown with --dry-run`,
    });
  }
  const [{ placesOf }, { planInstall }, { look }, host, runner] = await Promise.all([
    import("../systemd/places.ts"),
    import("../systemd/plan.ts"),
    import("../systemd/look.ts"),
    import("../systemd/host.ts"),
    runnerFor(world),
  ]);
  const [places, program] = [placesOf(scope, world.env), programOf(world)];
  if (scope === "system") {
    host.refuseClosedProgram(program);
    host.refuseWritableProgram(program);
  }
  if (!options.dryRun) await host.refuseUnlessAble(runner, scope, serviceCommand("install", `--${scope}`));
  const unseen = keysSetIn(world.env);
  const plan = planInstall(
    { places, program, org: globals.org, unseen },
    await look(runner, { places, program, vendors: VENDORS }, { tries: await isRoot(runner) }),
  );
  await carryOut(output, { runner, plan, options, next: nextAfterInstall(scope, places.configFile) });
}

async function uninstall(output: Output, options: PlanOptions): Promise<void> {
  const [{ planUninstall }, { installedUnits }, host, runner] = await Promise.all([
    import("../systemd/plan.ts"),
    import("../systemd/installed.ts"),
    import("../systemd/host.ts"),
    runnerFor(output.world),
  ]);
  const places = await findInstalled(output.world, options);
  if (places && !options.dryRun)
    await host.refuseUnlessAble(runner, places.scope, serviceCommand("uninstall", `--${places.scope}`));
  const plan = places
    ? planUninstall(places, installedUnits(places))
    : { steps: [], notes: ["No service is installed."] };
  await carryOut(output, { runner, plan, options, next: [] });
}

/** Applies the plan unless it is only to be seen, and prints it either way. */
async function carryOut(
  { print }: Output,
  {
    runner,
    plan,
    options,
    next,
  }: { runner: Runner; plan: ServicePlan; options: PlanOptions; next: readonly string[] },
): Promise<void> {
  const [{ apply }, { planJson, planText }] = await Promise.all([
    import("../systemd/apply.ts"),
    import("../systemd/plan-text.ts"),
  ]);
  const isDryRun = options.dryRun === true;
  if (!isDryRun) await apply(runner, plan);
  print({
    json: { dryRun: isDryRun, ...planJson(plan) },
    text: () => planText(plan, { isDryRun, next }),
  });
}

/** The configuration's variables that this shell sets, and the service's unit does not. */
function keysSetIn(env: Environment): string[] {
  return Object.keys(globalKeys(VENDORS))
    .map(variableOf)
    .filter((variable) => env[variable]);
}

async function isRoot(runner: Runner): Promise<boolean> {
  return (await runner.run("id", ["--user"])).out.trim() === "0";
}
