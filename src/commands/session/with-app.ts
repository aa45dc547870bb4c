import type { Command } from "commander";
import type { App } from "../../app.ts";
import { asTypedHere } from "../../core/advice/command-lines.ts";
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
): Promise<void> {
  const globals = command.optsWithGlobals<Globals>();
  const { openApp } = await import("../../app.ts");
  const app = openApp(world, globals);
  try {
    await action({ app, ...(await outputFor(world, globals)) });
  } finally {
    await app.close();
  }
}

/** For the few commands that need neither configuration nor state. */
export async function withoutApp(
  world: World,
  command: Command,
  action: (output: Output) => Promise<void>,
): Promise<void> {
  await action(await outputFor(world, command.optsWithGlobals<Globals>()));
}

async function outputFor(world: World, globals: Globals): Promise<Output> {
  const { redact } = world;
  const { colourLevel, createTerminal } = await import("../../shared/terminal.ts");
  return {
    world,
    globals,
    terminal: createTerminal(
      world.io,
      colourLevel(world.env, world.io.stdoutIsTerminal, !globals.color),
      world.clock,
    ),
    print: ({ json, text }) => {
      const shown = globals.json
        ? jsonText({ version: 1, ...json })
        : printable(asTypedHere(text(), globals));
      world.io.out(`${redact(shown)}\n`);
    },
    say: (text) => {
      if (!globals.json) world.io.err(`${redact(printable(asTypedHere(text, globals)))}\n`);
    },
  };
}
