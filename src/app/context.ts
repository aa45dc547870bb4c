import { statSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../shared/config.ts";
import type { Clock, FollowingClock } from "../shared/clock.ts";
import type { Log } from "../shared/log.ts";
import type { Globals, World } from "../shared/world.ts";
import type { PostgresOptions } from "../store/postgres/postgres.ts";
import type { EnvironmentSecret } from "../vault/environment.ts";
import { pathIn } from "./configuration.ts";

/** What every part of the app is made from. */
export interface AppContext {
  world: World;
  globals: Globals;
  config: Config;
  environmentSecrets: readonly EnvironmentSecret[];
  stateDir: string;
  /** A person may be there to unlock a keychain. */
  isAttended: boolean;
  clock: Clock;
  /** The same clock where it keeps a database's time; null where the log is a file. */
  databaseClock: FollowingClock | null;
  log: Log;
  /** What was opened is closed with the app, the last of it first. */
  closing<Opened extends Closable>(opened: Opened): Opened;
}

interface Closable {
  close(): Promise<void> | void;
}

export function createClosing(): Pick<AppContext, "closing"> & { closeAll(): Promise<void> } {
  const all: Closable[] = [];
  return {
    closing: (opened) => {
      all.push(opened);
      return opened;
    },
    closeAll: async () => {
      for (const opened of all.reverse()) await opened.close();
    },
  };
}

/** A part that is opened when it is first asked for; what could not be opened is tried again by whoever asks later. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}

/** How the database is reached that log and vault may lie in. */
export function databaseOf({ world, config, databaseClock }: AppContext): PostgresOptions {
  return {
    url: config["store.url"],
    directUrl: config["store.direct_url"],
    caFile: pathIn(config, "store.ca_file", world.cwd) ?? "",
    env: world.env,
    ...(databaseClock ? { clock: databaseClock } : {}),
  };
}

/** Of what may not be looked at: endless, so that who opens it says why. */
export function sizeOf(path: string): number {
  try {
    return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** The log's file, and where SQLite may leave what it needs for a while. */
export function sqlitePlaces({ world, stateDir }: AppContext): { log: string; temporaryDir: string } {
  const temporaryDir = world.env.SQLITE_TMPDIR ?? world.env.TMPDIR ?? "/var/tmp";
  return { log: join(stateDir, "log.db"), temporaryDir };
}
