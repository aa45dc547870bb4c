import type { Command, Help } from "commander";

/** What the command tree says of one command, taken apart: for whoever prints it in another shape than `--help`. */
export interface Page {
  /** Without the program's name, as `backup list`; blank for the program. */
  words: string;
  description: string;
  usage: string;
  /** Under which heading the program lists it. */
  group: string;
  arguments: Item[];
  options: Item[];
  /** What stands below the options, the examples aside. */
  notes: string;
  examples: string[];
  commands: Page[];
}

export interface Item {
  term: string;
  words: string;
}

export function pageOf(command: Command): Page {
  const help = command.createHelp();
  const { notes, examples } = belowOptions(command);
  return {
    words: wordsOf(command),
    description: help.commandDescription(command),
    usage: help.commandUsage(command),
    group: command.helpGroup().replace(/:$/, ""),
    arguments: help.visibleArguments(command).map((argument) => ({
      term: help.argumentTerm(argument),
      words: help.argumentDescription(argument),
    })),
    options: optionsOf(command, help),
    notes,
    examples,
    commands: help.visibleCommands(command).map(pageOf),
  };
}

function wordsOf(command: Command): string {
  return command.parent === null ? "" : `${wordsOf(command.parent)} ${command.name()}`.trim();
}

function optionsOf(command: Command, help: Help): Item[] {
  const isOwn = (flags: string) => command.parent === null || flags !== "-h, --help";
  return help
    .visibleOptions(command)
    .filter(({ flags }) => isOwn(flags))
    .map((option) => ({ term: help.optionTerm(option), words: help.optionDescription(option) }));
}

/** The text that help ends with, which commander gives to whoever prints all of it. */
function belowOptions(command: Command): { notes: string; examples: string[] } {
  let whole = "";
  command.configureOutput({
    writeOut: (text) => {
      whole += text;
    },
  });
  command.outputHelp();
  const [notes = "", examples = ""] = whole.slice(command.helpInformation().length).split(/\nExamples?:\n/);
  return {
    notes: notes.trim(),
    examples: examples
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean),
  };
}
