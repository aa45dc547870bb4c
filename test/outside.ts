/** An outside in which nothing happens, for who only reads the command tree. */
import { systemClock } from "../src/shared/clock.ts";
import { createRedactor } from "../src/shared/redact.ts";
import type { World } from "../src/shared/world.ts";

export function outsideOf(hear: (text: string) => void = () => {}): World {
  return {
    io: {
      out: hear,
      err: hear,
      lost: () => ({ lines: 0, isOver: true }),
      stdin: process.stdin,
      stderr: process.stderr,
      stdinIsTerminal: false,
      stdoutIsTerminal: false,
      stderrIsTerminal: false,
      columns: () => 80,
    },
    env: {},
    platform: process.platform,
    nodePath: process.execPath,
    clock: systemClock,
    signal: new AbortController().signal,
    keepRunning: () => {},
    takeHanded: () => ({ sockets: new Map(), notify: null, watchdogMs: null }),
    openBrowser: () => {},
    redact: createRedactor(),
    distUrl: new URL("../dist/", import.meta.url),
    cwd: "/",
  };
}
