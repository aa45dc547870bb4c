import { hostname } from "node:os";
import { notInPostgres } from "../../core/advice/database.ts";
import type { FollowingClock } from "../../shared/clock.ts";
import { thisProcess } from "../../shared/process-identity.ts";
import type { Store } from "../contract/store.ts";
import type { ThreadedStore } from "../contract/threaded.ts";
import { isVerbName, type VerbName, type VerbTraits, VERBS } from "../contract/verbs.ts";
import { connectionConfig, directConfig, type Reach } from "../../postgres/connect.ts";
import { orHalfCopy, refuseHalfCopy } from "./server/copy-mark.ts";
import { insistOnCreating } from "./server/creating.ts";
import { CHANNEL, openDirect } from "./server/direct.ts";
import { createFaults } from "./server/faults.ts";
import { LOG_SCHEMA } from "./server/schema.ts";
import { openDatabase } from "../../postgres/database.ts";
import { hasSchema, migrate } from "../../postgres/migrate.ts";
import { createVerbs, type PostgresVerbs } from "./verbs.ts";

export interface PostgresOptions extends Reach {
  /** Keeps the database's time from now on. */
  clock?: FollowingClock;
  /** Is a database waited for that cannot be reached, or used, at first? Until it can be each verb throws `STORE_UNAVAILABLE`. */
  staysUp?: boolean;
}

const CONNECTIONS = 8;
/** Each machine keeps the database's time to within some milliseconds. */
const SLACK_MS = 10;
/** What is changed within is told at once: those who commit with news wait for each other. */
const TOLD_TOGETHER_MS = 20;

/** The same for who only looks; null, and nothing is created, where there is no log yet that could be made. */
export async function openPostgresToRead(options: PostgresOptions): Promise<ThreadedStore | null> {
  const db = openDatabase({ ...connectionConfig(options, "store.url"), max: 1 });
  try {
    if (!(await orHalfCopy(db.read, options.url, () => hasSchema(db, LOG_SCHEMA)))) {
      await insistOnCreating(db.read, { isCopied: false });
      return null;
    }
  } finally {
    await db.close();
  }
  return await openPostgresStore(options);
}

/** The log in PostgreSQL, which any number of machines share. Throws `STORE_UNAVAILABLE`, `STORE_TOO_NEW` and `CONFIG_INVALID`. */
export async function openPostgresStore(options: PostgresOptions): Promise<ThreadedStore> {
  const { url, clock } = options;
  const db = openDatabase({ ...connectionConfig(options, "store.url"), max: CONNECTIONS });
  const watchers = new Set<() => void>();
  const tellAll = () => {
    for (const onChange of watchers) onChange();
  };
  const direct = directConfig(options);
  const faults = createFaults(direct.setting, () => clock?.now() ?? Date.now());
  /** What this service is known by among the others, who forget it while it has no session. */
  let entered: Parameters<Store["runningServices"]>[0];
  const enterAgain = () => {
    // Where it fails the session is lost anew, and this comes again.
    if (entered) verbs.runningServices(entered).catch(() => {});
  };
  const opened = await openDirect({
    config: direct,
    name: `${hostname()} ${thisProcess().pid}`,
    prepare: () => orHalfCopy(db.read, url, () => migrate(db, LOG_SCHEMA)),
    insist: (client) => orHalfCopy(db.read, url, () => refuseHalfCopy(client, { sql: db.read, url })),
    staysUp: options.staysUp ?? false,
    onChange: tellAll,
    onLost: db.renew,
    onTrouble: (problem, isEntered) => {
      faults.note(problem, { refuses: !isEntered });
      if (problem === null) enterAgain();
    },
    onTime: (at, asked, answered) => clock?.follow(at, asked, answered),
    monotonic: () => clock?.monotonic() ?? performance.now(),
    date: Date.now,
  }).catch(async (error: unknown) => {
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
  const all = guarded(verbs, { refuse: faults.refuse, changed });
  return {
    ...all,
    runningServices: async (options) => {
      if (options?.enter) entered = options;
      return await all.runningServices(options);
    },
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
    faults: faults.faults,
    watchFaults: faults.watchFaults,
    // No thread: a database that is away is waited for as a disk is.
    thread: { ask: async () => void (await db.read.get("SELECT 1")), cpuMs: () => null, watchBeside: null },
  };
}

/** The verbs: none goes before the log was open once, and each says when it may have made work. */
function guarded(
  verbs: PostgresVerbs,
  { refuse, changed }: { refuse(): void; changed(): void },
): PostgresVerbs {
  const guard = <Args extends unknown[], Result>(
    verb: (...args: Args) => Promise<Result>,
    { wakes }: VerbTraits,
  ) => {
    return async (...args: Args): Promise<Result> => {
      refuse();
      const result = await verb(...args);
      if (wakes) changed();
      return result;
    };
  };
  const all: Partial<Record<VerbName, unknown>> = {};
  for (const name of Object.keys(verbs).filter(isVerbName))
    all[name] = guard<never[], unknown>(verbs[name], VERBS[name]);
  return Object.assign({}, verbs, all);
}
