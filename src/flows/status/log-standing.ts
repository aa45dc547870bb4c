/** What is wrong with the log's own file, as far as one can see from beside it. */
import { accessSync, constants, statfsSync } from "node:fs";
import { join } from "node:path";
import { copiedLog, whereCopied } from "../../core/advice/copied-log.ts";
import { NEW_LOG_COMMAND } from "../../core/advice/command-lines.ts";
import { isoTime } from "../../shared/clock.ts";
import type { Config } from "../../shared/config.ts";
import { copiedMark } from "../../shared/copied-log.ts";
import type { AppError } from "../../shared/errors.ts";
import { isPostgres } from "../../shared/store-url.ts";
import type { ServeFault } from "../watch/serve-faults.ts";

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
    ...copiedAway(stateDir, config),
    ...unwritable({ stateDir, config, problem, isServed }),
    ...(said === "storage" ? [elsewhere(stateDir, config)] : []),
  ];
}

/** A service cannot even tell of it, and a log that one left in its middle can be read there like any other. */
function unwritable({ stateDir, config, problem, isServed }: Omit<LogLook, "faults" | "said">) {
  if (isPostgres(config["store.url"]) || !isReadOnly(stateDir) || (!isServed && problem)) return [];
  const then = isServed ? "serve refuses events with 503" : "no event is taken, and nothing is delivered";
  return [
    {
      isWarning: false,
      since: null,
      message: `the file system of ${stateDir} cannot be written: ${then}`,
      hint: `${isServed ? "All goes on by itself once it can. " : ""}Find out why (dmesg says what the disk met), then run: mount -o remount,rw`,
    },
  ];
}

function isReadOnly(stateDir: string): boolean {
  try {
    accessSync(stateDir, constants.W_OK);
    return false;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EROFS";
  }
}

/** Its rows are in a database, and the configuration names the file still. */
function copiedAway(stateDir: string, config: Config) {
  const mark = isPostgres(config["store.url"]) ? null : copiedMark(stateDir);
  if (!mark) return [];
  const { message } = copiedLog(join(stateDir, "log.db"), mark);
  return [{ isWarning: false, since: isoTime(mark.at), message, hint: whereCopied(mark.to) }];
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
  const told = oneOfStore(faults).map(({ since, kind, message, hint }) => ({
    isWarning: kind === "held-up",
    since: isoTime(since),
    message: kind === "lost" ? `serve runs on another file: ${message}` : message,
    hint,
  }));
  return told.length > 0 ? told : found;
}

/** A store that is away, and what could not be written to it, are one trouble: what it says itself is nearer to the cause. */
function oneOfStore(faults: readonly ServeFault[]): ServeFault[] {
  const ofStore = faults.filter(({ kind }) => kind === "unusable" || kind === "unwritable");
  const told = ofStore.find(({ kind }) => kind === "unusable") ?? ofStore[0];
  const since = Math.min(...ofStore.map((each) => each.since));
  return faults.flatMap((fault) => {
    if (!ofStore.includes(fault)) return [fault];
    return fault === told ? [{ ...fault, since }] : [];
  });
}

export function diskOf(stateDir: string): { freeBytes: number } | null {
  try {
    const { bavail, bsize } = statfsSync(stateDir);
    return { freeBytes: bavail * bsize };
  } catch {
    return null;
  }
}
