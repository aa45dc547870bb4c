/** What is wrong with the log's own file, as far as one can see from beside it. */
import { accessSync, constants, statfsSync } from "node:fs";
import { NEW_LOG_COMMAND } from "../../core/advice/command-lines.ts";
import { isoTime } from "../../shared/clock.ts";
import type { Config } from "../../shared/config.ts";
import type { AppError } from "../../shared/errors.ts";
import type { ServeFault } from "./serve-faults.ts";

export interface LogLook {
  stateDir: string;
  config: Config;
  /** Why it could not be read; null where it could, or is not there. */
  problem: AppError | null;
  /** What running services found. */
  faults: readonly ServeFault[];
  isServed: boolean;
  /** What a service says of itself that nobody could find by the log. */
  said: string | null;
}

/** What is wrong with the log itself, or keeps the service from writing it. */
export function storageOf({ stateDir, config, problem, faults, isServed, said }: LogLook) {
  return [
    ...foundAndTold(problem, faults),
    ...(isServed && isReadOnly(stateDir) ? [readOnly(stateDir)] : []),
    ...(said === "storage" ? [elsewhere(stateDir, config)] : []),
  ];
}

/** There a service cannot even tell of it. */
function isReadOnly(stateDir: string): boolean {
  try {
    accessSync(stateDir, constants.W_OK);
    return false;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EROFS";
  }
}

function readOnly(stateDir: string) {
  return {
    isWarning: false,
    since: null,
    message: `the file system of ${stateDir} cannot be written: serve refuses events with 503`,
    hint: "Find out why (dmesg says what the disk met), then: mount -o remount,rw. All goes on by itself.",
  };
}

function elsewhere(stateDir: string, config: Config) {
  return {
    isWarning: false,
    since: null,
    message: `serve runs on another file: no log is in ${stateDir}, and the one that listens on ${config["serve.listen"]} has lost its own`,
    hint: `Bring the directory back. To begin with an empty log: ${NEW_LOG_COMMAND}`,
  };
}

/** As whoever looks finds the log, and as a running service knows it: they may look at different files. */
function foundAndTold(problem: AppError | null, faults: readonly ServeFault[]) {
  const found = problem
    ? [{ isWarning: false, since: null, message: problem.message, hint: problem.hint ?? null }]
    : [];
  const told = faults.map(({ since, kind, message, hint }) => ({
    isWarning: kind === "held-up",
    since: isoTime(since),
    message: kind === "lost" ? `serve runs on another file: ${message}` : message,
    hint,
  }));
  return told.length > 0 ? told : found;
}

export function diskOf(stateDir: string): { freeBytes: number } | null {
  try {
    const { bavail, bsize } = statfsSync(stateDir);
    return { freeBytes: bavail * bsize };
  } catch {
    return null;
  }
}
