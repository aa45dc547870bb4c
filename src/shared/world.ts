import type { Clock } from "./clock.ts";
import type { Environment } from "./config.ts";
import type { Io } from "./io.ts";
import type { Redactor } from "./redact.ts";
import type { Terminal } from "./terminal.ts";

/** What a service manager hands to a process that it starts. */
export interface Handed {
  /** Descriptors of sockets that listen already, by their names. */
  sockets: ReadonlyMap<string, number>;
  /** Where it wants to hear of us; `descriptor`: a socket that is connected to it. Null where it does not listen. */
  notify: { socket: string; descriptor: number | null } | null;
  /** It ends us when it hears nothing for so long; null where it waits for nothing. */
  watchdogMs: number | null;
}

/** Everything outside the program that a command may touch: the real one in `bin`, a made one in tests. */
export interface Outside {
  io: Io;
  env: Environment;
  platform: NodeJS.Platform;
  /** The Node program that runs us, for child processes. */
  nodePath: string;
  clock: Clock;
  /** Aborts on Ctrl-C, SIGTERM and the end of our terminal; the reason is the signal's name. */
  signal: AbortSignal;
  /**
   * Makes the process one that stays: from here on it opens no file of the program's own, a lost stdout ends nothing, and
   * SIGHUP, where no terminal stands behind us, calls back.
   */
  keepRunning(onReload: () => void): void;
  /** Once: it is not there for whoever asks again. */
  takeHanded(): Handed;
  /** Shows a URL to the person at the machine; rejects where it cannot. Nobody waits for it, nothing depends on it. */
  openBrowser(url: string): Promise<void> | void;
  /** Where the built program's own files rest, for threads and child processes. */
  distUrl: URL;
  cwd: string;
}

/** The same, with the one redactor of this run: whatever learns a secret, all that is said from then on lacks it. */
export interface World extends Outside {
  redact: Redactor;
}

/** The options every command has. */
export interface Globals {
  org?: string;
  config?: string;
  stateDir?: string;
  json?: boolean;
  color: boolean;
  input: boolean;
  yes?: boolean;
  verbose?: boolean;
  wide?: boolean;
}

/** The way to a person, and how output was asked for. */
export interface Output {
  world: World;
  globals: Globals;
  terminal: Terminal;
  /** Prints a result: as JSON when asked to, else as text. */
  print(result: { json: object; text: () => string }): void;
  /** Says something that is not a result; silent with `--json`. */
  say(text: string): void;
}
