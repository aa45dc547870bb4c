/** Which file a command line would read: asked of the command tree, which does nothing of it. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { expect, test } from "vitest";
import { fileNamedIn } from "../../src/commands/session/named-file.ts";
import { createProgram } from "../../src/main.ts";
import { createRedactor } from "../../src/shared/redact.ts";
import { dist } from "../built.ts";
import { connected, type World } from "../world.ts";

async function askedOf(world: World, argv: readonly string[]) {
  const said: string[] = [];
  const program = await createProgram(
    {
      io: {
        out: (text) => said.push(text),
        err: (text) => said.push(text),
        lost: () => ({ lines: 0, isOver: true }),
        stdin: Readable.from([""]),
        stderr: new PassThrough(),
        stdinIsTerminal: false,
        stdoutIsTerminal: false,
        stderrIsTerminal: false,
        columns: () => 80,
      },
      env: world.env,
      platform: process.platform,
      nodePath: process.execPath,
      clock: world.clock,
      signal: new AbortController().signal,
      keepRunning: () => {},
      takeHanded: () => ({ sockets: new Map(), notify: null, watchdogMs: null }),
      openBrowser: () => {},
      redact: createRedactor(),
      distUrl: dist(),
      cwd: world.dir,
    },
    { first: argv[0], asJson: true },
  );
  return { named: await fileNamedIn(program, argv), said };
}

test.each([
  { argv: ["invites", "import", "events.ndjson"], path: "events.ndjson" },
  { argv: ["secrets", "set", "telegram.bot-token", "--file", "token"], path: "token" },
  { argv: ["backup"], path: undefined },
  { argv: ["backup", "own.backup"], path: undefined },
  { argv: ["backup", "verify", "own.backup"], path: undefined },
  { argv: ["restore", "own.backup"], path: undefined },
])("of $argv it is $path, and nothing is done", async ({ argv, path }) => {
  const world = await connected();
  const { named, said } = await askedOf(world, argv);
  expect(named?.path).toBe(path);
  expect(said).toEqual([]);
  expect([join(world.stateDir, "backups"), join(world.dir, "own.backup")].filter(existsSync)).toEqual([]);
});
