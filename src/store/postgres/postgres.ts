import { hostname } from "node:os";
import { databaseRefusal, notInPostgres } from "../../core/advice/database.ts";
import type { FollowingClock } from "../../shared/clock.ts";
import { isAppError } from "../../shared/errors.ts";
import { thisProcess } from "../../shared/process-identity.ts";
import type { StoreFault } from "../contract/faults.ts";
import type { Store } from "../contract/store.ts";
import type { ThreadedStore } from "../contract/threaded.ts";
import { isVerbName, type VerbName, VERBS } from "../contract/verbs.ts";
import { connectionConfig, type Reach } from "./server/connect.ts";
import { CHANNEL, openDirect } from "./server/direct.ts";
import { openDatabase } from "./server/database.ts";
import { hasLog, migrate } from "./server/migrate.ts";
import { createVerbs, type PostgresVerbs } from "./verbs.ts";

export interface PostgresOptions extends Reach {
  /** Of the server itself, where `url` is a pooler's; empty: `url`. */
  directUrl?: string;
  /** Keeps the database's time from now on. */
  clock?: FollowingClock;
}

const CONNECTIONS = 8;
/** Each machine keeps the database's time to within some milliseconds. */
const SLACK_MS = 10;
/** What is changed within is told at once: those who commit with news wait for each other. */
const TOLD_TOGETHER_MS = 20;

/** The same for who only looks; null, and nothing is created, where there is no log yet. */
export async function openPostgresToRead(options: PostgresOptions): Promise<ThreadedStore | null> {
  const db = openDatabase({ ...connectionConfig(options, "store.url"), max: 1 });
  try {
    if (!(await hasLog(db))) return null;
  } finally {
    await db.close();
  }
  return await openPostgresStore(options);
}

/** The log in PostgreSQL, which any number of machines share. Throws `STORE_UNAVAILABLE`, `STORE_TOO_NEW` and `CONFIG_INVALID`. */
export async function openPostgresStore(options: PostgresOptions): Promise<ThreadedStore> {
  const { url, directUrl, clock } = options;
  const db = openDatabase({ ...connectionConfig(options, "store.url"), max: CONNECTIONS });
  const watchers = new Set<() => void>();
  const tellAll = () => {
    for (const onChange of watchers) onChange();
  };
  const faults = createFaults(() => clock?.now() ?? Date.now());
  const opened = await (async () => {
    await migrate(db);
    return await openDirect({
      config: connectionConfig(
        { ...options, url: directUrl || url },
        directUrl ? "store.direct_url" : "store.url",
      ),
      name: `${hostname()} ${thisProcess().pid}`,
      onChange: tellAll,
      onTrouble: faults.note,
      onTime: (at, asked, answered) => clock?.follow(at, asked, answered),
      monotonic: () => clock?.monotonic() ?? performance.now(),
      date: Date.now,
    });
  })().catch(async (error: unknown) => {
    await db.close();
    throw error;
  });
  const self = opened.self;

  let telling: NodeJS.Timeout | null = null;
  const changed = () => {
    queueMicrotask(tellAll);
    telling ??= setTimeout(() => {
      telling = null;
      // Who hears nothing of it asks by the clock.
      db.read.run("SELECT pg_notify($1, $2)", [CHANNEL, String(self())]).catch(() => {});
    }, TOLD_TOGETHER_MS);
  };
  const verbs = createVerbs(db, self, {
    ahead: () => (clock ? clock.now() - clock.monotonic() : 0),
    slackMs: clock ? SLACK_MS : 0,
  });
  return {
    ...waking(verbs, changed),
    watch: (onChange) => {
      watchers.add(onChange);
      return () => watchers.delete(onChange);
    },
    copyTo: async () => {
      throw notInPostgres("a copy of the log");
    },
    close: async () => {
      if (telling !== null) {
        clearTimeout(telling);
        await db.read.run("SELECT pg_notify($1, $2)", [CHANNEL, String(self())]).catch(() => {});
      }
      await opened.close();
      await db.close();
    },
    isHolding: opened.isHolding,
    faults: faults.all,
    watchFaults: faults.watch,
    // No thread: a database that is away is waited for as a disk is.
    thread: { ask: async () => void (await db.read.get("SELECT 1")), cpuMs: () => null },
  };
}

interface DirectFaults {
  all(): readonly StoreFault[];
  watch: Store["watchFaults"];
  note(problem: unknown): void;
}

/** What is wrong with the direct connection. It refuses nothing: what is asked over the pool says itself whether it goes. */
function createFaults(now: () => number): DirectFaults {
  let faults: readonly StoreFault[] = [];
  const watchers = new Set<() => void>();
  return {
    all: () => faults,
    watch: (onChange) => {
      watchers.add(onChange);
      return () => watchers.delete(onChange);
    },
    note: (problem) => {
      const before = faults[0];
      const { words, hint } = isAppError(problem)
        ? { words: problem.message, hint: problem.hint ?? "" }
        : databaseRefusal("", problem instanceof Error ? problem.message : "");
      faults =
        problem === null
          ? []
          : [{ kind: "unusable", refuses: false, since: before?.since ?? now(), message: words, hint }];
      if (faults.length !== Number(before !== undefined)) for (const onChange of watchers) onChange();
    },
  };
}

/** The verbs, each of which says when it may have made work. */
function waking(verbs: PostgresVerbs, changed: () => void): PostgresVerbs {
  const wake = <Args extends unknown[], Result>(verb: (...args: Args) => Promise<Result>) => {
    return async (...args: Args): Promise<Result> => {
      const result = await verb(...args);
      changed();
      return result;
    };
  };
  const woken: Partial<Record<VerbName, unknown>> = {};
  for (const name of Object.keys(verbs).filter(isVerbName))
    if (VERBS[name].wakes) woken[name] = wake<never[], unknown>(verbs[name]);
  return Object.assign({}, verbs, woken);
}
