import { fstatSync } from "node:fs";
import { type Io, READER_LEFT } from "./shared/io.ts";
import type { Outside } from "./shared/world.ts";
import { reportBug, main } from "./main.ts";
import { openBrowser } from "./shared/browser.ts";
import { systemClock } from "./shared/clock.ts";
import { ERROR_CODES, EXIT_INTERRUPTED } from "./shared/errors.ts";
import { takeHanded } from "./start/handed.ts";
import { heedSignals } from "./start/signals.ts";
import { type Lossy, lossy, outputTrouble } from "./start/streams.ts";

const LAST_WORDS_MS = 2_000;

/** What the loader of the built program can do besides loading. */
export interface Loader {
  /** Reads every part of the program, so that an upgrade in its place takes nothing from under a running one. */
  readAll(): void;
}

/** Ties the program to the real process: its streams, signals, environment and exit code. */
export async function start(loader: Loader): Promise<void> {
  const stop = new AbortController();
  const err = lossy(process.stderr);
  /** What a service does on SIGHUP; null in a command that comes and goes. */
  let reload: (() => void) | null = null;
  let outcome: number | null = null;
  heedSignals(process, {
    hasTerminal: process.platform === "win32" || process.stderr.isTTY === true || stdinIsTerminal(),
    stop,
    onReload: () => reload?.(),
  });
  const env = { ...process.env };
  // A browser and other children inherit what stands here; a script's secrets are none of theirs.
  for (const variable of Object.keys(env))
    if (variable.startsWith("JC_SECRET_")) delete process.env[variable];
  const world: Outside = {
    io: ioOf(err),
    env,
    platform: process.platform,
    nodePath: process.execPath,
    clock: systemClock,
    signal: stop.signal,
    keepRunning: (onReload) => {
      loader.readAll();
      reload = onReload;
    },
    takeHanded: () => {
      takeHanded(process.env, process.pid);
      return takeHanded(env, process.pid);
    },
    openBrowser: (url) => openBrowser(url, { env, platform: process.platform }),
    distUrl: new URL("./", import.meta.url),
    cwd: process.cwd(),
  };
  const isDone = () => outcome !== null;
  endNonZero(world, isDone);
  process.stdout.on("error", (error) => {
    // A service writes no results.
    if (reload !== null) return;
    const trouble = outputTrouble(error);
    if (trouble !== null) {
      // Once, however many writes fail; also where the command is over before the first one does.
      if (outcome !== ERROR_CODES.STORE_UNAVAILABLE.exit) err.write(`Error: ${trouble}\n`);
      process.exitCode = outcome = ERROR_CODES.STORE_UNAVAILABLE.exit;
    }
    // What runs gets a moment to clean up after itself.
    stop.abort(new DOMException(READER_LEFT, "AbortError"));
    setTimeout(() => process.exit(outcome ?? EXIT_INTERRUPTED), LAST_WORDS_MS).unref();
  });
  const code = await main(process.argv.slice(2), world);
  process.exitCode = outcome ??= code;
  // A log whose reader stands still must not keep a service from ending; results wait for whoever reads them.
  if (reload !== null) setTimeout(() => process.exit(), LAST_WORDS_MS).unref();
}

function ioOf(err: Lossy): Io {
  return {
    out: (text) => process.stdout.write(text),
    err: err.write,
    lost: err.lost,
    get stdin() {
      return process.stdin;
    },
    stderr: process.stderr,
    get stdinIsTerminal() {
      return stdinIsTerminal();
    },
    stdoutIsTerminal: process.stdout.isTTY === true,
    stderrIsTerminal: process.stderr.isTTY === true,
    columns: () => process.stdout.columns ?? 80,
  };
}

/** Whatever ends us unexpectedly ends us with 1, so that a service manager starts us anew. */
function endNonZero(world: Outside, isDone: () => boolean): void {
  process.exitCode = 1;
  process.on("uncaughtException", (error) => {
    reportBug(error, world);
    process.exit(1);
  });
  process.once("beforeExit", () => {
    if (!isDone()) reportBug(new Error("the program ended before it was done"), world);
  });
}

/**
 * Asked by its number, since to touch `process.stdin` is to open it; of a device only, and not of /dev/null and its like
 * (major 1 on Linux), since `node:tty` loads much else.
 */
function stdinIsTerminal(): boolean {
  try {
    const stdin = fstatSync(0);
    const isMemory = process.platform === "linux" && ((stdin.rdev >> 8) & 0xfff) === 1;
    return stdin.isCharacterDevice() && !isMemory && process.getBuiltinModule("node:tty").isatty(0);
  } catch {
    return false;
  }
}
