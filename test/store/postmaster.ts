/** A PostgreSQL of one test's own, which can be ended in each of the ways in which a server ends, and started again. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { temporaryDirectory } from "../directory.ts";
import { answering, asServerUser, newCluster, programOf, serverCommand, urlIn } from "./postgres-server.ts";

export interface Postmaster {
  directory: string;
  urlOf(database: string): string;
  /** Once it takes connections; with more settings than at first, where they are given. */
  start(more?: readonly string[]): Promise<void>;
  /** `SIGKILL`: the first process alone. `SIGQUIT`: as `pg_ctl stop -m immediate` does, `SIGINT` as `-m fast`. */
  end(signal: "SIGKILL" | "SIGQUIT" | "SIGINT"): Promise<void>;
}

export interface PostmasterOptions {
  /** Of its socket, and of what else it listens on; the usual one unless told. */
  port?: number;
  /** The command that runs the server's. */
  within?: readonly string[];
}

const AGAIN_AFTER_MS = 50;

/** One that was never started. */
export function newPostmaster(settings: readonly string[], options: PostmasterOptions = {}): Postmaster {
  const directory = temporaryDirectory(tmpdir());
  newCluster(directory);
  return postmasterIn(directory, settings, options);
}

/** One that follows another, as a standby does, from what that holds now; not started yet. */
export function standbyOf({ directory: from }: Postmaster, settings: readonly string[]): Postmaster {
  const directory = temporaryDirectory(tmpdir());
  chmodSync(directory, 0o777);
  const to = ["-D", join(directory, "data"), "--write-recovery-conf", "--checkpoint=fast", "--no-sync"];
  const [command, args] = asServerUser(programOf("pg_basebackup"), ["-h", from, "-U", "jc", ...to]);
  execFileSync(command, args, { stdio: "ignore" });
  return postmasterIn(directory, settings, {});
}

function postmasterIn(
  directory: string,
  settings: readonly string[],
  { port, within = [] }: PostmasterOptions,
): Postmaster {
  const urlOf = urlIn(directory, port);
  let current: ChildProcess | null = null;
  const begin = (now: readonly string[]) => {
    // It ends with this process, however that ends.
    const server = serverCommand(directory, now, ["--pdeathsig=QUIT"]).flat();
    const [command = "", ...args] = [...within, ...server];
    const child = spawn(command, args, { stdio: "ignore" });
    current = child;
    // What is left of one that was killed keeps others from starting for a moment.
    child.once("exit", () => setTimeout(() => child === current && begin(now), AGAIN_AFTER_MS));
  };
  const end: Postmaster["end"] = async (signal) => {
    const child = current;
    current = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  };
  onTestFinished(() => end("SIGQUIT"));
  return {
    directory,
    urlOf,
    start: async (more = []) => {
      begin([...(port === undefined ? [] : [`port=${port}`]), ...settings, ...more]);
      await answering(urlOf("postgres"));
    },
    end,
  };
}
