import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { unbroken } from "../core/advice/unbroken.ts";
import { HELP_COMMAND } from "../core/advice/command-lines.ts";
import { AppError } from "../shared/errors.ts";
import { helpWidthOf, wrapped } from "../shared/layout.ts";
import { nearest } from "../shared/nearest.ts";
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
      if (flags.manPages !== undefined)
        return await writeManPages(resolve(world.cwd, flags.manPages), treeOf);
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

async function writeManPages(directory: string, treeOf: TreeOf): Promise<void> {
  const [{ pageOf }, { manPagesOf }] = await Promise.all([import("./help/page.ts"), import("./help/man.ts")]);
  mkdirSync(directory, { recursive: true });
  for (const [name, text] of manPagesOf(pageOf(await treeOf([])), VERSION))
    writeFileSync(join(directory, name), text);
}
