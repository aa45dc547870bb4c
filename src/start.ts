import { isatty } from "node:tty";
import type { World } from "./commands/world.ts";
import { main } from "./main.ts";
import { systemClock } from "./shared/clock.ts";
import { EXIT_INTERRUPTED } from "./shared/errors.ts";
import { startDetached } from "./shared/browser.ts";

/** Ties the program to the real process: its streams, signals, environment and exit code. */
export async function start(): Promise<void> {
  const stop = new AbortController();
  let signals = 0;
  const onSignal = (name: NodeJS.Signals) => {
    signals += 1;
    if (signals > 1) process.exit(EXIT_INTERRUPTED);
    stop.abort(new DOMException(name, "AbortError"));
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  process.on("SIGHUP", onSignal);
  // A reader that went away (`… | head`) is no error of ours.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => process.exit(0));

  const world: World = {
    io: {
      out: (text) => process.stdout.write(text),
      err: (text) => process.stderr.write(text),
      get stdin() {
        return process.stdin;
      },
      stderr: process.stderr,
      // Asked by its number: to touch `process.stdin` is to open it.
      stdinIsTerminal: isatty(0),
      stdoutIsTerminal: process.stdout.isTTY === true,
      stderrIsTerminal: process.stderr.isTTY === true,
      columns: () => process.stdout.columns ?? 80,
    },
    env: process.env,
    platform: process.platform,
    nodePath: process.execPath,
    clock: systemClock,
    signal: stop.signal,
    openBrowser: startDetached,
    distUrl: new URL("./", import.meta.url),
    cwd: process.cwd(),
  };
  process.exitCode = await main(process.argv.slice(2), world);
}
