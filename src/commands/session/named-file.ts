import { closeSync, fstatSync, openSync } from "node:fs";
import { resolve } from "node:path";
import type { Argument, Command, Option } from "commander";
import { AppError } from "../../shared/errors.ts";

/** Commands call what they read so, `import <file>` and `--file <file>`, and take `-` for stdin. */
const FILE = "file";

/** The file that a command line of ours would read, and the same line reading it from stdin; null where it reads none. */
export async function fileNamedIn(
  program: Command,
  argv: readonly string[],
): Promise<{ path: string; argvFromStdin: string[] } | null> {
  const path = await fileRead(program, argv);
  if (path === null || path === "-") return null;
  const at = argv.findLastIndex((word) => word === path || word === `--${FILE}=${path}`);
  if (at < 0) return null;
  const word = argv[at] === path ? "-" : `--${FILE}=-`;
  return { path, argvFromStdin: argv.with(at, word) };
}

/** Asks commander itself, with actions that only look. What it refuses is for the command to say when it runs. */
async function fileRead(program: Command, argv: readonly string[]): Promise<string | null> {
  let found: string | null = null;
  const look = (command: Command) => {
    command.commands.forEach(look);
    const position = command.registeredArguments.findIndex((argument: Argument) => argument.name() === FILE);
    const option = command.options.find((each: Option) => each.attributeName() === FILE);
    // One of a group with a deed of its own takes arguments, as `backup` does.
    if (command.commands.length > 0 && command.registeredArguments.length === 0) return;
    command.action(() => {
      const value: unknown = position >= 0 ? command.args[position] : option && command.opts()[FILE];
      if (typeof value === "string") found = value;
    });
  };
  look(program);
  await program.parseAsync([...argv], { from: "user" }).catch(() => {});
  return found;
}

/** Opens what the caller named with the caller's own rights. Throws `USAGE` where it cannot be read. */
export async function withOpenFile<Result>(
  path: string,
  cwd: string,
  use: (descriptor: number) => Promise<Result>,
): Promise<Result> {
  const absolute = resolve(cwd, path);
  let descriptor: number;
  try {
    descriptor = openSync(absolute, "r");
  } catch (cause) {
    throw new AppError("USAGE", `${absolute} cannot be read`, {
      hint: "Check the path, and who may read it.",
      cause,
    });
  }
  try {
    if (fstatSync(descriptor).isDirectory())
      throw new AppError("USAGE", `${absolute} is a directory`, { hint: "Name a file in it." });
    return await use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
