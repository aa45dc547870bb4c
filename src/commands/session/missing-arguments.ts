import type { Argument, Command } from "commander";
import { AppError } from "../../shared/errors.ts";
import type { World } from "../../shared/world.ts";
import { knownValues } from "./known-values.ts";

interface Asking {
  world: World;
  treeOf(argv: readonly string[]): Promise<Command>;
}

/**
 * The command line with the arguments that it lacks, asked of the person at the terminal; null where something else is
 * wrong with it. Throws `CANCELLED` for who does not answer.
 */
export async function withMissingArguments(
  argv: readonly string[],
  { world, treeOf }: Asking,
): Promise<string[] | null> {
  const missing = await missingIn(await treeOf(argv), argv);
  if (missing.length === 0 || missing.some(({ variadic }) => variadic)) return null;
  const answers: string[] = [];
  for (const argument of missing) answers.push(await ask(argument, world));
  return [...argv, ...(argv.includes("--") ? [] : ["--"]), ...answers];
}

/** Asks commander itself, with a tree that needs nothing and does nothing. */
async function missingIn(tree: Command, argv: readonly string[]): Promise<Argument[]> {
  const needed = new Set<Argument>();
  let missing: Argument[] = [];
  const open = (command: Command) => {
    command.commands.forEach(open);
    for (const argument of command.registeredArguments)
      if (argument.required) needed.add(Object.assign(argument, { required: false }));
    if (command.commands.length > 0 && command.registeredArguments.length === 0) return;
    command.action(() => {
      missing = command.registeredArguments.slice(command.args.length).filter((each) => needed.has(each));
    });
  };
  open(tree);
  await tree.parseAsync([...argv], { from: "user" }).catch(() => {});
  return missing;
}

async function ask(argument: Argument, { io, signal }: World): Promise<string> {
  const { input, select } = await import("@inquirer/prompts");
  const at = { input: io.stdin, output: io.stderr, signal };
  const name = argument.name();
  const known = argument.argChoices ?? (await knownValues(name));
  const answer = known
    ? select({ message: name, choices: known.map((value) => ({ value })) }, at)
    : input(
        { message: argument.description ? `${name} (${argument.description})` : name, required: true },
        at,
      );
  return await answer.catch(() => {
    throw new AppError("CANCELLED", "Cancelled. Nothing was done");
  });
}
