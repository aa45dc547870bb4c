import type { Outside } from "./shared/world.ts";
import { main } from "./main.ts";
import { systemClock } from "./shared/clock.ts";
import { EXIT_INTERRUPTED } from "./shared/errors.ts";
import { startDetached } from "./shared/browser.ts";

const SAME_WISH_MS = 300;
const LAST_WORDS_MS = 2_000;

/** Ties the program to the real process: its streams, signals, environment and exit code. */
export async function start(): Promise<void> {
  const stop = new AbortController();
  let firstAt: number | null = null;
  const onSignal = (name: NodeJS.Signals) => {
    const now = performance.now();
    // One Ctrl-C may reach us twice, from the terminal and from a parent; a person's second one comes later.
    if (firstAt !== null && now - firstAt > SAME_WISH_MS) process.exit(EXIT_INTERRUPTED);
    firstAt ??= now;
    stop.abort(new DOMException(name, "AbortError"));
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  process.on("SIGHUP", onSignal);
  // A reader that went away (`… | head`) is no error of ours; what runs gets a moment to clean up after itself.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", () => {
      stop.abort(new DOMException("SIGPIPE", "AbortError"));
      setTimeout(() => process.exit(0), LAST_WORDS_MS).unref();
    });
  }

  const world: Outside = {
    io: {
      out: (text) => process.stdout.write(text),
      err: (text) => process.stderr.write(text),
      get stdin() {
        return process.stdin;
      },
      stderr: process.stderr,
      // Asked by its number, since to touch `process.stdin` is to open it; and late, since `node:tty` loads much else.
      get stdinIsTerminal() {
        return process.getBuiltinModule("node:tty").isatty(0);
      },
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
