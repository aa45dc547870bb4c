import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Command } from "commander";
import { unbroken } from "../core/advice/unbroken.ts";
import { HELP_COMMAND } from "../core/advice/command-lines.ts";
import { AppError } from "../shared/errors.ts";
import { helpWidthOf, wrapped } from "../shared/layout.ts";
import { nearest } from "../shared/nearest.ts";
import { count } from "../shared/text.ts";
import { VERSION } from "../shared/version.ts";
import type { World } from "../shared/world.ts";

type TreeOf = (argv: readonly string[]) => Promise<Command>;

/** `help`: what a command's `--help` shows, and all of it in the shapes of documents. */
export function registerHelp(program: Command, world: World, treeOf: TreeOf): void {
  program
    .command("help")
    .argument("[command...]", "as `backup list`; without one the program's own help")
    .description("show the help of a command, or of all of them as a document")
    .option("--all", "the whole reference, as Markdown")
    .option("--man-pages <dir>", "write the man pages into this directory")
    .addHelpText("after", "\nExample:\n  jc-integrations help backup list")
    .action(async (words: string[], flags: { all?: boolean; manPages?: string }) => {
      if (flags.all) return await printReference(world, treeOf);
      if (flags.manPages !== undefined) return await writeManPages(world, flags.manPages, treeOf);
      const command = commandNamed(await treeOf(words), words);
      const width = helpWidthOf(world.io, world.env, "out");
      command.configureOutput({ writeOut: (text) => world.io.out(wrapped(text, width, unbroken)) });
      command.outputHelp();
    });
}

function commandNamed(tree: Command, words: readonly string[]): Command {
  let found = tree;
  for (const [index, word] of words.entries()) {
    const next = found.commands.find((each) => each.name() === word);
    if (!next) throw unknownCommand(words.slice(0, index + 1), found);
    found = next;
  }
  return found;
}

function unknownCommand(words: readonly string[], { commands }: Command): AppError {
  const guess = nearest(
    words.at(-1) ?? "",
    commands.map((each) => each.name()),
  );
  return new AppError("USAGE", `there is no command ${words.join(" ")}`, {
    hint: guess ? `Did you mean ${[...words.slice(0, -1), guess].join(" ")}?` : `${HELP_COMMAND} lists them.`,
  });
}

async function printReference(world: World, treeOf: TreeOf): Promise<void> {
  const [{ pageOf }, { referenceOf }] = await Promise.all([
    import("./help/page.ts"),
    import("./help/markdown.ts"),
  ]);
  world.io.out(referenceOf(pageOf(await treeOf([]))));
}

async function writeManPages(world: World, directory: string, treeOf: TreeOf): Promise<void> {
  if (directory === "") throw new AppError("USAGE", "--man-pages names no directory", { hint: HELP_COMMAND });
  const [{ pageOf }, { manPagesOf }] = await Promise.all([import("./help/page.ts"), import("./help/man.ts")]);
  const pages = manPagesOf(pageOf(await treeOf([])), VERSION);
  const path = resolve(world.cwd, directory);
  try {
    makeDirectory(path);
    for (const [name, text] of pages) writeFileSync(join(path, name), text);
    world.io.out(`${count(pages.size, "man page")} written into ${path}\n`);
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause)) throw cause;
    throw new AppError("USAGE", `the man pages cannot be written into ${path} (${cause.code})`, {
      hint: "Name a directory that you may write into.",
      cause,
    });
  }
}

/** Each missing one by itself: in /proc Node tries for ever to make all at once. */
function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  makeDirectory(dirname(path));
  mkdirSync(path);
}
