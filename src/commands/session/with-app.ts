import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import type { Command } from "commander";
import type { App } from "../../app.ts";
import { asServiceCommand, asTypedHere } from "../../core/advice/command-lines.ts";
import { unbroken } from "../../core/advice/unbroken.ts";
import { widthOf, wrapped } from "../../shared/layout.ts";
import { jsonText, printable } from "../../shared/text.ts";
import type { Globals, Output, World } from "../../shared/world.ts";

/** What an action works with. */
export interface Session extends Output {
  app: App;
}

/** Opens the app, runs the action, closes the app: whatever happens in between. */
export async function withApp(
  world: World,
  command: Command,
  action: (session: Session) => Promise<void>,
  options: { isAttended?: boolean } = {},
): Promise<void> {
  const globals = command.optsWithGlobals<Globals>();
  const { openApp } = await import("../../app.ts");
  const app = openApp(world, globals, options);
  try {
    const output = await outputFor(world, globals);
    const elsewhere = await serviceElsewhere(output, app.stateDir);
    if (elsewhere) output.say(`Note: ${elsewhere}: sudo ${asServiceCommand(wordsOf(command))}\n`);
    await action({ app, ...output });
  } finally {
    await app.close();
  }
}

/** Root, or who has no state yet, may well mean the machine's service, whose state is another. Null where nobody can. */
async function serviceElsewhere({ world, globals }: Output, stateDir: string): Promise<string | null> {
  const isChosen = globals.stateDir ?? world.env.JC_STATE_DIR ?? world.env.STATE_DIRECTORY;
  if (isChosen || world.platform !== "linux" || (existsSync(stateDir) && userInfo().uid !== 0)) return null;
  const { placesOf } = await import("../../systemd/places.ts");
  const { unitFile, stateDir: servicesOwn } = placesOf("system", world.env);
  if (!existsSync(unitFile)) return null;
  return `this is about ${stateDir}; the service of this machine has its state in ${servicesOwn}`;
}

function wordsOf(command: Command): string {
  const above = command.parent;
  return above?.parent ? `${wordsOf(above)} ${command.name()}` : command.name();
}

/** For the few commands that need neither configuration nor state. */
export async function withoutApp(
  world: World,
  command: Command,
  action: (output: Output) => Promise<void>,
  options: { atMost?: number } = {},
): Promise<void> {
  await action(await outputFor(world, command.optsWithGlobals<Globals>(), options));
}

/** `atMost`: columns that it keeps to wherever it goes, also into a pipe. */
async function outputFor(
  world: World,
  globals: Globals,
  { atMost }: { atMost?: number } = {},
): Promise<Output> {
  const { redact, io, env } = world;
  const { canRedraw, colourLevel, createTerminal } = await import("../../shared/terminal.ts");
  const columnsOf = (stream: "out" | "err") => {
    const columns = globals.wide ? null : widthOf(io, env, stream);
    return atMost === undefined ? columns : Math.min(atMost, columns ?? atMost);
  };
  const width = columnsOf("out");
  const level = colourLevel(env, io.stdoutIsTerminal, !globals.color);
  const forPeople = (text: string, columns: number | null) =>
    redact(printable(wrapped(asTypedHere(text, globals), columns, unbroken)));
  return {
    world,
    globals,
    terminal: createTerminal(
      io,
      {
        level,
        width,
        isWide: globals.wide === true,
        units: unbroken,
        redraws: canRedraw(env, io.stderrIsTerminal),
      },
      world.clock,
    ),
    print: ({ json, text }) => {
      const shown = globals.json ? redact(jsonText({ version: 1, ...json })) : forPeople(text(), width);
      io.out(`${shown}\n`);
    },
    say: (text) => {
      if (!globals.json) io.err(`${forPeople(text, columnsOf("err"))}\n`);
    },
  };
}
