import { fileURLToPath } from "node:url";
import {
  asServiceCommand,
  connectCommand,
  serviceCommand,
  setSecretCommand,
} from "../core/advice/command-lines.ts";
import { DEFAULT_VENDOR } from "../core/default-vendor.ts";
import { type Command, CommanderError } from "commander";
import { isoTime } from "../shared/clock.ts";
import { globalKeys, variableOf } from "../shared/config-keys.ts";
import type { Environment } from "../shared/config.ts";
import { AppError, ERROR_CODES, EXIT_INTERRUPTED } from "../shared/errors.ts";
import { relativeTime } from "../shared/text.ts";
import type { RunningService } from "../flows/watch/services.ts";
import type { Output, World } from "../shared/world.ts";
import type { ServicePlan } from "../systemd/plan.ts";
import type { Runner } from "../systemd/runner.ts";
import type { Places, Program, Scope } from "../systemd/places.ts";
import { VENDORS } from "../vendors/index.ts";
import { withoutApp } from "./session/with-app.ts";

interface ScopeOptions {
  system?: boolean;
  user?: boolean;
}

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
  if (!options.dryRun) await host.refuseUnlessAble(runner, scope, `install --${scope}`);
  const unseen = keysSetIn(world.env);
  const plan = planInstall(
    { places, program, org: globals.org, unseen },
    await look(runner, { places, program, vendors: VENDORS }, { tries: await isRoot(runner) }),
  );
  await carryOut(output, { runner, plan, options, next: nextAfterInstall(places) });
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
    await host.refuseUnlessAble(runner, places.scope, `uninstall --${places.scope}`);
  const plan = places
    ? planUninstall(places, installedUnits(places))
    : { steps: [], notes: ["No service is installed."] };
  await carryOut(output, { runner, plan, options, next: "" });
}

/** Applies the plan unless it is only to be seen, and prints it either way. */
async function carryOut(
  { print }: Output,
  { runner, plan, options, next }: { runner: Runner; plan: ServicePlan; options: PlanOptions; next: string },
): Promise<void> {
  const [{ apply }, { planJson, planText }] = await Promise.all([
    import("../systemd/apply.ts"),
    import("../systemd/plan-text.ts"),
  ]);
  const isDryRun = options.dryRun === true;
  if (!isDryRun) await apply(runner, plan);
  print({
    json: { dryRun: isDryRun, ...planJson(plan) },
    text: () => planText(plan, { isDryRun }) + (isDryRun ? "" : next),
  });
}

/** The configuration's variables that this shell sets, and the service's unit does not. */
function keysSetIn(env: Environment): string[] {
  return Object.keys(globalKeys(VENDORS))
    .map(variableOf)
    .filter((variable) => env[variable]);
}

function nextAfterInstall({ scope, configFile }: Places): string {
  const lines =
    scope === "system"
      ? [
          "systemctl status jc-integrations",
          "journalctl -u jc-integrations -f",
          `sudoedit ${configFile}   # then: sudo systemctl restart jc-integrations`,
          `sudo ${asServiceCommand("secrets set hubspot.client-secret")}`,
          `sudo ${asServiceCommand("connect hubspot --no-browser")}`,
        ]
      : [
          "systemctl --user status jc-integrations",
          "journalctl --user -u jc-integrations -f",
          `"\${EDITOR:-vi}" ${configFile}   # then: systemctl --user restart jc-integrations`,
          setSecretCommand("hubspot.client-secret"),
          connectCommand({ vendor: DEFAULT_VENDOR }),
        ];
  return `\n\nNext:\n${lines.map((line) => `  ${line}`).join("\n")}`;
}

async function showStatus({ world, terminal, print }: Output, options: ScopeOptions): Promise<void> {
  const [host, look, { installedUnit, stateOfSockets }, { installCommand, UNIT }, runner] = await Promise.all(
    [
      import("../systemd/host.ts"),
      import("../systemd/look.ts"),
      import("../systemd/installed.ts"),
      import("../systemd/places.ts"),
      runnerFor(world),
    ],
  );
  const places = await requireInstalled(world, options);
  const { scope, stateDir, configFile, environmentFile } = places;
  const unitFile = installedUnit(places)?.file ?? places.unitFile;
  const [unit, outdated, sockets] = await Promise.all([
    host.showUnit(runner, scope, UNIT),
    look.outdatedFiles(runner, { places, program: programOf(world), vendors: VENDORS }),
    stateOfSockets(runner, places),
  ]);
  const changedAt = Date.parse(unit.StateChangeTimestamp ?? "");
  const startedAt = Date.parse(unit.ExecMainStartTimestamp ?? "");
  const manager = scope === "system" ? "sudo systemctl" : "systemctl --user";
  const restart = `${manager} restart jc-integrations`;
  const runs = unit.ActiveState === "active" ? await whatRuns(runner, places, world) : null;
  const json = {
    scope,
    state: unit.ActiveState ?? "unknown",
    since: Number.isNaN(changedAt) ? null : isoTime(changedAt),
    enabled: unit.UnitFileState === "enabled",
    restarts: Number(unit.NRestarts ?? 0),
    says: unit.StatusText || null,
    sockets,
    unitFile,
    stateDir,
    configFile,
    program: runs === null ? null : { version: runs.version, build: runs.build },
    config: runs?.config ?? null,
    advice: [
      ...(runs?.advice ?? []),
      ...[unitFile, environmentFile]
        .filter((path) => host.changedSince(path, startedAt))
        .map((path) => `${path} changed since serve started: ${restart}`),
      ...outdated.map((path) => `${path} is not as this program writes it: ${installCommand(scope)}`),
    ],
  };
  const since = json.since === null ? "" : `, since ${relativeTime(changedAt, world.clock.now())}`;
  const rows = [
    ["service", json.state + since],
    ["program", runs === null ? unseenWords(unit.ActiveState) : `${runs.version} (build ${runs.build})`],
    ["at boot", json.enabled ? "is started" : "is not started"],
    ["restarts", String(json.restarts)],
    ["says", json.says ?? "–"],
    ...sockets.map((socket) => ["socket", `${socket.address}, ${socket.state} (${socket.unit})`]),
    ["unit", unitFile],
    ["state", stateDir],
    ["config", configFile + (runs?.config ? ` (runs with ${runs.config.digest})` : "")],
  ];
  const advice = json.advice.map((words) => terminal.paint.yellow(`! ${words}`));
  print({ json, text: () => [terminal.table(["", ""], rows).trimStart(), ...advice].join("\n") });
}

/** Asked through `service exec`: nobody else may read its state. Null for one without the right to ask. */
async function whatRuns(runner: Runner, places: Places, world: World): Promise<RunningService | null> {
  const { askAsService } = await import("../systemd/surroundings.ts");
  const argv = ["status", "--json"];
  const asked = { places, program: programOf(world), argv, cwd: "/", person: "root" };
  const { out } = await askAsService(runner, asked);
  try {
    const { services }: { services?: RunningService[] } = Object(JSON.parse(out));
    return services?.[0] ?? null;
  } catch {
    return null;
  }
}

function unseenWords(state: string | undefined): string {
  return state === "active" ? `seen by root only: sudo ${serviceCommand("status")}` : "does not run";
}

interface ExecRequest {
  words: readonly string[];
  /** The commands those words may mean. */
  treeOf: (argv: readonly string[]) => Promise<Command>;
}

async function exec({ world }: Output, options: ScopeOptions, { words, treeOf }: ExecRequest): Promise<void> {
  const [{ execAsService }, { fileNamedIn, withOpenFile }, { personOf }, host, runner] = await Promise.all([
    import("../systemd/surroundings.ts"),
    import("./session/named-file.ts"),
    import("./session/operator.ts"),
    import("../systemd/host.ts"),
    runnerFor(world),
  ]);
  const [places, program] = [await requireInstalled(world, options), programOf(world)];
  await host.refuseUnlessAble(runner, places.scope, `exec -- ${words.join(" ")}`);
  if (places.scope === "system") host.refuseClosedProgram(program);
  const { cwd, signal } = world;
  const person = personOf(world.env);
  const run = (argv: readonly string[], stdin?: number) =>
    execAsService(runner, { places, program, argv, cwd, person, signal, stdin });
  // The service's user may enter neither the caller's directory nor read the file: the caller opens it.
  const named = await fileNamedIn(await treeOf(words), words);
  const exit = named
    ? await withOpenFile(named.path, cwd, (stdin) => run(named.argvFromStdin, stdin))
    : await run(words);
  signal.throwIfAborted();
  if (exit !== 0) throw endedWith(exit, words);
}

/** The command has said itself what is wrong: its exit code goes on. Another exit is systemd's own. */
function endedWith(exit: number, [command]: readonly string[]): Error {
  const message = `${command}, run as the service, ended with exit code ${exit}`;
  const isOurs = exit === EXIT_INTERRUPTED || Object.values(ERROR_CODES).some((known) => known.exit === exit);
  if (isOurs) return new CommanderError(exit, "commander.executeSubCommandAsync", message);
  return new AppError("CONFIG_INVALID", message, {
    hint: "systemd could not run it; its reason: journalctl -e",
  });
}

function scopeIn({ system, user }: ScopeOptions): Scope | null {
  if (system && user) throw new AppError("USAGE", "--system and --user: only one of them");
  if (system) return "system";
  return user ? "user" : null;
}

/** The service that is meant: the one installed, unless an option says which. Null when there is none. */
async function findInstalled(world: World, options: ScopeOptions): Promise<Places | null> {
  const [{ placesOf }, { installedUnit }] = await Promise.all([
    import("../systemd/places.ts"),
    import("../systemd/installed.ts"),
  ]);
  const asked = scopeIn(options);
  const scopes: readonly Scope[] = asked ? [asked] : ["system", "user"];
  const [first = null, second] = scopes
    .map((scope) => placesOf(scope, world.env))
    .filter((places) => installedUnit(places) !== null);
  if (second) throw new AppError("USAGE", "there are two services here", { hint: "Say --system or --user." });
  return first;
}

async function requireInstalled(world: World, options: ScopeOptions): Promise<Places> {
  const places = await findInstalled(world, options);
  if (places) return places;
  throw new AppError("USAGE", "no service is installed", {
    hint: `sudo ${serviceCommand("install", "--system")}`,
  });
}

async function isRoot(runner: Runner): Promise<boolean> {
  return (await runner.run("id", ["--user"])).out.trim() === "0";
}

async function runnerFor(world: World): Promise<Runner> {
  const { createRunner } = await import("../systemd/runner.ts");
  return createRunner(world.env);
}

/** The program that runs now. */
function programOf(world: World): Program {
  const scriptPath = fileURLToPath(new URL("../bin/jc-integrations.js", world.distUrl));
  return { nodePath: world.nodePath, scriptPath };
}
