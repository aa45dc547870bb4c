import { asTypedHere, DEMO_COMMAND, HELP_COMMAND, helpCommand } from "./core/advice/command-lines.ts";
import { unbroken } from "./core/advice/unbroken.ts";
import { Command, CommanderError, Help } from "commander";
import type { Globals, Outside, World } from "./shared/world.ts";
import { AppError, ERROR_CODES, EXIT_INTERRUPTED, isAppError } from "./shared/errors.ts";
import { createRedactor, type Redactor } from "./shared/redact.ts";
import { helpWidthOf, widthOf, wrapped } from "./shared/layout.ts";
import { cut, jsonText, maskEmailsIn, printable } from "./shared/text.ts";
import { VERSION } from "./shared/version.ts";
import { destinationLabels } from "./vendors/index.ts";

/** The command tree by what people come for, in the order of `--help`. Each command declares itself in a file of its own, loaded when called. */
const GROUPS: Readonly<Record<string, readonly (readonly [name: string, load: () => Promise<Register>])[]>> =
  {
    Connect: [
      ["connect", async () => (await import("./commands/connect.ts")).registerConnect],
      ["disconnect", async () => (await import("./commands/disconnect.ts")).registerDisconnect],
      ["webhooks", async () => (await import("./commands/webhooks.ts")).registerWebhooks],
      ["catalog", async () => (await import("./commands/catalog.ts")).registerCatalog],
      ["config", async () => (await import("./commands/config.ts")).registerConfig],
      ["secrets", async () => (await import("./commands/secrets.ts")).registerSecrets],
      ["vault", async () => (await import("./commands/vault.ts")).registerVault],
    ],
    Watch: [
      ["status", async () => (await import("./commands/status.ts")).registerStatus],
      ["logs", async () => (await import("./commands/logs.ts")).registerLogs],
      ["invites", async () => (await import("./commands/invites.ts")).registerInvites],
      ["export", async () => (await import("./commands/export.ts")).registerExport],
      ["alerts", async () => (await import("./commands/alerts.ts")).registerAlerts],
      ["admin", async () => (await import("./commands/admin.ts")).registerAdmin],
    ],
    Repair: [
      ["doctor", async () => (await import("./commands/doctor.ts")).registerDoctor],
      ["resync-properties", async () => (await import("./commands/resync-properties.ts")).registerResync],
      ["replay", async () => (await import("./commands/replay.ts")).registerReplay],
      ["backfill", async () => (await import("./commands/backfill.ts")).registerBackfill],
      ["erase", async () => (await import("./commands/erase.ts")).registerErase],
      ["backup", async () => (await import("./commands/backup.ts")).registerBackup],
      ["restore", async () => (await import("./commands/restore.ts")).registerRestore],
      ["store", async () => (await import("./commands/store.ts")).registerStore],
    ],
    Run: [
      ["serve", async () => (await import("./commands/serve.ts")).registerServe],
      ["service", async () => (await import("./commands/service.ts")).registerService],
      ["run", async () => (await import("./commands/run.ts")).registerRun],
    ],
    Try: [
      ["demo", async () => (await import("./commands/demo.ts")).registerDemo],
      ["sandbox-test", async () => (await import("./commands/sandbox-test.ts")).registerSandboxTest],
      ["emulator", async () => (await import("./commands/emulator.ts")).registerEmulator],
      ["help", async () => (await import("./commands/help.ts")).registerHelp],
      ["completion", async () => (await import("./commands/completion.ts")).registerCompletion],
    ],
  };
const COMMANDS: ReadonlyMap<string, { load: () => Promise<Register>; group: string }> = new Map(
  Object.entries(GROUPS).flatMap(([group, commands]) =>
    commands.map(([name, load]) => [name, { load, group: `${group}:` }] as const),
  ),
);

/** Where the next command must look too. */
type Places = Pick<Globals, "config" | "stateDir">;
/** The commands that an argv may mean, to be asked what it says; nothing of it runs, nothing is printed. */
export type TreeOf = (argv: readonly string[]) => Promise<Command>;
type Register = (program: Command, world: World, treeOf: TreeOf) => void;

/** Runs one command line, without the program's own name. Returns the exit code; throws nothing. */
export async function main(argv: readonly string[], outside: Outside): Promise<number> {
  // No copy: what the outside has to make is made when it is asked for.
  const world: World = Object.assign(outside, { redact: createRedactor() });
  const asJson = argv.includes("--json");
  let program: Command | null = null;
  // Commander complains before it throws; what is asked for instead is no complaint.
  let complaint = "";
  const complain = (text: string) => {
    complaint += text;
  };
  try {
    program = await createProgram(world, { first: argv[0], asJson, complain });
    await program.parseAsync([...argv], { from: "user" });
    return 0;
  } catch (error) {
    const whole = isMissingArgument(error) ? await askedFor(argv, world) : null;
    if (isAppError(whole)) return report(whole, world, { asJson, places: {} });
    if (whole !== null) return await main(whole, outside);
    const shown = { asJson, places: program?.opts<Places>() ?? {} };
    if (!(error instanceof CommanderError)) return report(error, world, shown);
    if (isMistyped(error) && (asJson || !isHelp(error)))
      return report(await usageError(error, { program, argv }), world, shown);
    if (!asJson) world.io.err(inWidth(complaint, world));
    return exitOfCommander(error);
  }
}

/** The command tree. Holds the command that `first` names; all of them when it names none, as `--help` or a mistyped one does not. */
export async function createProgram(
  world: World,
  {
    first,
    asJson,
    complain = asJson ? () => {} : (text) => world.io.err(inWidth(text, world)),
  }: { first: string | undefined; asJson: boolean; complain?: (text: string) => void },
): Promise<Command> {
  const program = new Command("jc-integrations")
    .description(`Carries JobCannon's assessment results into ${destinationLabels("all")}, and loses none.`)
    .version(VERSION, "-V, --version", "print the version")
    .option("--org <slug>", "the JobCannon organisation (else the config's org)")
    .option("--config <file>", "configuration file (TOML)")
    .option("--state-dir <dir>", "where the log and the vault rest")
    .option("--json", "print one JSON object instead of text")
    .option("--no-color", "no colours")
    .option("--no-input", "never ask; what would ask fails or needs --yes")
    .option("--yes", "answer yes to what would be asked")
    .option("--wide", "tables with all columns, however wide")
    .option("-v, --verbose", "show each call to a vendor (without its secrets)")
    .helpOption("-h, --help", "show help")
    .helpCommand(false)
    .addHelpText("after", HELP_END);
  const called = COMMANDS.get(first ?? "");
  for (const { load, group } of called ? [called] : COMMANDS.values()) {
    const declared = program.commands.length;
    (await load())(program, world, treeIn(world));
    for (const command of program.commands.slice(declared)) command.helpGroup(group);
  }
  eachCommand(program, (command) => {
    command.exitOverride();
    command.configureOutput({
      writeOut: (text) => world.io.out(wrapped(text, helpWidthOf(world.io, world.env, "out"), unbroken)),
      writeErr: complain,
      getOutHelpWidth: () => helpWidthOf(world.io, world.env, "out"),
      getErrHelpWidth: () => helpWidthOf(world.io, world.env, "err"),
    });
    command.configureHelp({ showGlobalOptions: true, formatItem });
    command.helpCommand(false);
  });
  return program;
}

/** Beside so narrow a text nobody would read: it goes below its option. */
const LEAST_BESIDE = 40;
const BELOW = " ".repeat(6);

function formatItem(this: Help, term: string, termWidth: number, text: string, helper: Help): string {
  const width = this.helpWidth ?? Number.POSITIVE_INFINITY;
  if (text === "" || width - termWidth - 4 >= LEAST_BESIDE)
    return Help.prototype.formatItem.call(this, term, termWidth, text, helper);
  return `  ${term}\n${wrapped(BELOW + text, width)}`;
}

const HELP_END = `
Exit codes: 0 done · 1 a bug · 2 usage, configuration or store
            3 cancelled or timed out · 4 reconnect needed · 5 tokens unreadable
            6 vendor refused or unreachable · 7 done in part · 130 interrupted

Example:
  ${DEMO_COMMAND}     see it work without any account`;

function treeIn(world: World): TreeOf {
  return (argv) => createProgram(silent(world), { first: argv[0], asJson: true });
}

function isMissingArgument(error: unknown): boolean {
  return error instanceof CommanderError && error.code === "commander.missingArgument";
}

/** The command line with what it lacks; null where nobody is there to be asked, and the error of who does not answer. */
async function askedFor(argv: readonly string[], world: World): Promise<string[] | AppError | null> {
  const { stdinIsTerminal, stderrIsTerminal } = world.io;
  if (!stdinIsTerminal || !stderrIsTerminal || argv.includes("--no-input") || argv.includes("--json"))
    return null;
  const { withMissingArguments } = await import("./commands/session/missing-arguments.ts");
  return await withMissingArguments(argv, { world, treeOf: treeIn(world) }).catch((error: unknown) => {
    if (isAppError(error)) return error;
    throw error;
  });
}

function silent(world: World): World {
  // No copy of its doors: to read `stdin` is to open it.
  const io: World["io"] = Object.assign(Object.create(world.io), { out: () => {}, err: () => {} });
  return { ...world, io };
}

/** commander's settings are not inherited by subcommands that exist already. */
function eachCommand(command: Command, change: (command: Command) => void): void {
  change(command);
  for (const child of command.commands) eachCommand(child, change);
}

function exitOfCommander(error: CommanderError): number {
  return isMistyped(error) ? ERROR_CODES.USAGE.exit : error.exitCode;
}

/** What is not: an answer to `--help` or `--version` (0), and the exit of a command run as the service. */
function isMistyped({ code }: CommanderError): boolean {
  return !["commander.helpDisplayed", "commander.version", "commander.executeSubCommandAsync"].includes(code);
}

/** A command that only holds others was typed alone. */
const isHelp = ({ code }: CommanderError) => code === "commander.help";

async function usageError(
  error: CommanderError,
  { program, argv }: { program: Command | null; argv: readonly string[] },
): Promise<AppError> {
  const lists = program === null ? `${HELP_COMMAND} lists the commands.` : await helpFor(program, argv);
  if (isHelp(error)) return new AppError("USAGE", "a command is missing", { hint: lists });
  const [, message = "", guess] =
    /^(?:error: )?([\s\S]*?)(?:\n\((Did you mean [^\n]*\?)\))?$/.exec(error.message) ?? [];
  return new AppError("USAGE", choiceWords(message) ?? message, { hint: guess ?? lists });
}

/** Of a value that is none of those there are: which, of what, and those that there are. */
function choiceWords(message: string): string | null {
  const [, option, value, argument, choices] =
    /^(?:command-argument value|option '(.*?)' argument) '(.*)' is invalid(?: for argument '(.*)')?\. Allowed choices are (.*)\.$/s.exec(
      message,
    ) ?? [];
  if (choices === undefined) return null;
  return `"${value}" is no ${argument ?? option?.replace(/^.*--(\S+).*$/, "$1")}: there are ${choices}`;
}

/** Of the command that was typed, as far as there is one. */
async function helpFor(program: Command, argv: readonly string[]): Promise<string> {
  const { pathTo } = await import("./commands/help/position.ts");
  const names: string[] = [];
  const { command } = pathTo(program, [...argv, ""]);
  for (let at = command; at.parent; at = at.parent) names.unshift(at.name());
  if (names.length === 0) return `${HELP_COMMAND} lists the commands.`;
  const shows = command.commands.length > 0 ? "lists its commands" : "shows what it takes";
  return `${helpCommand(names)} ${shows}.`;
}

/** What nobody foresaw may quote what it met: a candidate's data among it. */
const LONGEST_MESSAGE = 500;

/** The places alone: the message stands below them. */
function framesOf({ name, stack = "" }: Error): string {
  return [name, ...stack.split("\n").filter((line) => /^ {4}at /.test(line))].join("\n");
}

/** What is no result goes to stderr, in the width that it has there. */
function inWidth(text: string, { io, env }: World): string {
  return wrapped(text, widthOf(io, env, "err"), unbroken);
}

/** Says what went wrong, in one line and a hint for what an operator can mend, with its stack for a bug. */
function report(
  error: unknown,
  world: World,
  { asJson, places }: { asJson: boolean; places: Places },
): number {
  if (world.signal.aborted && error === world.signal.reason) {
    if (!asJson) world.io.err("Interrupted.\n");
    return EXIT_INTERRUPTED;
  }
  const known = isAppError(error);
  const message = known
    ? error.message
    : `this is a bug: ${maskEmailsIn(cut(error instanceof Error ? error.message : String(error), LONGEST_MESSAGE))}`;
  const say = (text: string) => world.io.err(`${world.redact(printable(inWidth(text, world)))}\n`);
  const hint = known
    ? error.hint && asTypedHere(error.hint, places)
    : "Please report it with the lines above.";
  if (asJson) {
    const body = {
      version: 1,
      error: { code: known ? error.code : "BUG", message, ...(hint ? { hint } : {}) },
    };
    world.io.err(`${world.redact(jsonText(body))}\n`);
  } else {
    if (!known && error instanceof Error) say(framesOf(error));
    const lines = hint ? hint.split("\n").map((line) => `\n  → ${line}`) : [];
    say(`Error: ${message}${lines.join("")}`);
  }
  return known ? ERROR_CODES[error.code].exit : 1;
}

/** For what nobody caught. */
export function reportBug(error: unknown, outside: Outside & { redact?: Redactor }): void {
  const world = Object.assign(outside, { redact: outside.redact ?? createRedactor() });
  report(error, world, { asJson: false, places: {} });
}

export type { Globals, World };
