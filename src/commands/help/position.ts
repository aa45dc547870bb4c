import type { Command, Option } from "commander";
import type { Globals } from "../../shared/world.ts";

/** Where in the command tree a command line stands that is still being typed. */
export interface Position {
  command: Command;
  /** Whose value is at hand; null where it is none's. */
  option: Option | null;
  /** The command's arguments before the word at hand. */
  operands: string[];
  /** As much of the value at hand as is typed, and what stands before it in the same word, as `--org=`. */
  typed: string;
  prefix: string;
  isOption: boolean;
  /** What was typed that says where to look. */
  places: Pick<Globals, "org" | "config" | "stateDir">;
}

const PLACES = ["org", "config", "stateDir"] as const;

/** Reads a line as commander does, and stops at its end, whatever is missing there. */
export function pathTo(program: Command, words: readonly string[]): Position {
  const at: Position = {
    command: program,
    option: null,
    operands: [],
    typed: words.at(-1) ?? "",
    prefix: "",
    isOption: false,
    places: {},
  };
  let isOver = false;
  for (const word of words.slice(0, -1)) {
    if (at.option) {
      note(at, at.option, word);
      at.option = null;
    } else if (word === "--") isOver = true;
    else if (!isOver && word.startsWith("-")) enterOption(at, word);
    else enterWord(at, word);
  }
  if (at.option || isOver) return at;
  const [name = "", value] = split(at.typed);
  if (!at.typed.startsWith("-")) return at;
  if (value === undefined) return { ...at, isOption: true };
  return { ...at, option: optionNamed(at.command, name), prefix: `${name}=`, typed: value };
}

function enterWord(at: Position, word: string): void {
  const next =
    at.operands.length === 0 ? at.command.commands.find((each) => each.name() === word) : undefined;
  if (next) at.command = next;
  else at.operands.push(word);
}

function enterOption(at: Position, word: string): void {
  const [name = "", value] = split(word);
  const option = optionNamed(at.command, name);
  if (!option || (!option.required && !option.optional)) return;
  if (value === undefined) at.option = option;
  else note(at, option, value);
}

function note(at: Position, option: Option, value: string): void {
  const place = PLACES.find((each) => each === option.attributeName());
  if (place) at.places[place] = value;
}

function optionNamed(command: Command, name: string): Option | null {
  const own = command.options.find(({ long, short }) => name === long || name === short);
  return own ?? (command.parent ? optionNamed(command.parent, name) : null);
}

function split(word: string): string[] {
  const at = word.indexOf("=");
  return at < 0 ? [word] : [word.slice(0, at), word.slice(at + 1)];
}
