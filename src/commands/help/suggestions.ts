import type { Argument, Command, Option } from "commander";
import { knownValues } from "../session/known-values.ts";
import { knownToLog } from "../session/known-to-log.ts";
import { globalKeys } from "../../shared/config-keys.ts";
import type { Globals, World } from "../../shared/world.ts";
import { VENDORS } from "../../vendors/index.ts";
import { pathTo } from "./position.ts";

interface Asking {
  world: World;
  treeOf(argv: readonly string[]): Promise<Command>;
  globals: Globals;
}

/** What the word at hand may become; or that it names a file or directory, which a shell completes better. */
export type Suggestions = { files: true } | { values: readonly Suggestion[] };

interface Suggestion {
  value: string;
  words: string;
}

/** `words`: a command line as far as it is typed, the program's name aside; the last one, maybe blank, is at hand. */
export async function suggestionsFor(
  words: readonly string[],
  { world, treeOf, globals }: Asking,
): Promise<Suggestions> {
  const { command, option, operands, typed, prefix, isOption, places } = pathTo(await treeOf(words), words);
  const fitting = (values: readonly Suggestion[]) => ({
    values: values
      .filter(({ value }) => value.startsWith(typed))
      .map(({ value, words }) => ({ value: prefix + value, words })),
  });
  if (isOption) return fitting(optionsOf(command));
  const subcommands = option === null && operands.length === 0 ? fitting(commandsOf(command)).values : [];
  const of = option ?? argumentAt(command, operands.length);
  if (of && placeholderOf(of) === "command") return fitting(commandsBelow(await treeOf(operands), operands));
  const found = await valuesFor(of, { world, globals: { ...globals, ...places }, typed });
  if ("files" in found) return subcommands.length > 0 ? { values: subcommands } : found;
  return { values: [...subcommands, ...fitting(found.values).values] };
}

/** One a line; where the shell shows it, with a tab and what it means behind. A file's line is one that no value is. */
export function suggestionLines(found: Suggestions, { isDescribed }: { isDescribed: boolean }): string {
  if ("files" in found) return "/\n";
  return found.values
    .map(({ value, words }) => (isDescribed && words ? `${value}\t${firstLine(words)}\n` : `${value}\n`))
    .join("");
}

const SHORT = 60;

function firstLine(words: string): string {
  return words.length <= SHORT ? words : `${words.slice(0, SHORT).replace(/[\s,;]*\S*$/, "")} …`;
}

function commandsOf(command: Command): Suggestion[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((each) => ({ value: each.name(), words: each.description() }));
}

/** What `help` takes: a command behind those that were named. */
function commandsBelow(tree: Command, names: readonly string[]): Suggestion[] {
  let found: Command | undefined = tree;
  for (const name of names) found = found?.commands.find((each) => each.name() === name);
  return found ? commandsOf(found) : [];
}

function placeholderOf(of: Argument | Option): string {
  return "flags" in of ? (/[<[]([\w=-]+)/.exec(of.flags)?.[1] ?? "") : of.name();
}

function optionsOf(command: Command): Suggestion[] {
  const help = command.createHelp();
  const own = command.parent === null ? [] : help.visibleGlobalOptions(command);
  return [...help.visibleOptions(command), ...own].flatMap(({ long, description }) =>
    long ? [{ value: long, words: description }] : [],
  );
}

/** The last one where it takes many. */
function argumentAt({ registeredArguments }: Command, position: number): Argument | null {
  const last = registeredArguments.at(-1);
  return registeredArguments[position] ?? (last?.variadic ? last : null);
}

/** Commands call files and directories so where they take them. */
const FILES = ["file", "dir", "backup", "to"];

async function valuesFor(
  of: Argument | Option | null,
  { typed, ...asking }: { world: World; globals: Globals; typed: string },
): Promise<Suggestions> {
  const none: Suggestions = { values: [] };
  if (!of) return none;
  if (of.argChoices) return { values: of.argChoices.map((value) => ({ value, words: "" })) };
  const placeholder = placeholderOf(of);
  if (placeholder === "key=value") return { values: settingsFor(typed) };
  if (FILES.includes(placeholder)) return { files: true };
  const known = (await knownValues(placeholder)) ?? (await knownToLog(placeholder, asking).catch(() => null));
  return known ? { values: known.map((value) => ({ value, words: "" })) } : none;
}

/** Keys of the configuration with a blank value; once one is typed, the values that it takes. */
function settingsFor(typed: string): Suggestion[] {
  const keys = globalKeys(VENDORS);
  const name = typed.split("=")[0] ?? "";
  if (!typed.includes("=")) return Object.keys(keys).map((key) => ({ value: `${key}=`, words: "" }));
  const key = keys[name];
  if (!key) return [];
  const values = key.kind === "yes-no" ? ["true", "false"] : "of" in key ? key.of : [];
  return values.map((value) => ({ value: `${name}=${value}`, words: "" }));
}
