import { execFile, spawn } from "node:child_process";
import { constants } from "node:os";
import type { Environment } from "../shared/config.ts";
import { AppError } from "../shared/errors.ts";

/** How a program ended; 127 when there is none of that name, as a shell says it. */
export interface Answer {
  code: number;
  out: string;
  err: string;
}

/** The one way to the system's own programs: systemctl, useradd, systemd-run. */
export interface Runner {
  run(command: string, args: readonly string[]): Promise<Answer>;
  /** On our own stdout and stderr, and stdin unless a descriptor is given. Returns the exit code, by the shell's convention after a signal. */
  attach(command: string, args: readonly string[], stdin?: number): Promise<number>;
}

/** Longer than a service may take to stop. */
const LONGEST_MS = 120_000;

export function createRunner(env: Environment, { longestMs = LONGEST_MS } = {}): Runner {
  // What we read ourselves comes in words and times that are the same everywhere.
  const plain = { ...env, LC_ALL: "C", TZ: "UTC" };
  return {
    run: (command, args) =>
      new Promise((resolve) => {
        execFile(command, args, { env: plain, timeout: longestMs }, (error, out, err) =>
          resolve({ code: error === null ? 0 : codeOf(error.code), out, err }),
        );
      }),
    attach: (command, args, stdin) =>
      new Promise((resolve, reject) => {
        const child = spawn(command, args, { env, stdio: [stdin ?? "inherit", "inherit", "inherit"] });
        child.once("error", (cause) =>
          reject(new AppError("CONFIG_INVALID", `${command} cannot be started`, { cause })),
        );
        child.once("exit", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
      }),
  };
}

function codeOf(code: unknown): number {
  if (typeof code === "number") return code;
  return code === "ENOENT" ? 127 : 1;
}

/** Throws `CONFIG_INVALID` with the program's own words when it says no. */
export async function runOrThrow(
  { run }: Pick<Runner, "run">,
  [command, ...args]: readonly [string, ...string[]],
): Promise<string> {
  const { code, out, err } = await run(command, args);
  if (code === 0) return out;
  const words = err.trim() || `exit code ${code}`;
  throw new AppError("CONFIG_INVALID", `${[command, ...args].join(" ")}: ${words}`, {
    hint: "Once that is mended, run this again: it goes on where it stopped.",
  });
}
