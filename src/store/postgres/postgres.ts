import { hostname } from "node:os";
import { Client } from "pg";
import { thisProcess } from "../../shared/process-identity.ts";
import type { Store } from "../contract/store.ts";
import { isVerbName, VERBS } from "../contract/verbs.ts";
import { openDatabase } from "./server/database.ts";
import { enterHolder } from "./server/holder.ts";
import { migrate } from "./server/migrate.ts";
import { createVerbs, type PostgresVerbs } from "./verbs.ts";

/** The log in PostgreSQL, which any number of machines share. */
export async function openPostgresStore(options: { url: string; directUrl?: string }): Promise<Store> {
  const { url, directUrl = url } = options;
  const db = openDatabase({ connectionString: url, max: 8 });
  await migrate(db);
  const direct = new Client({ connectionString: directUrl });
  await direct.connect();
  const self = await enterHolder(direct, `${hostname()} ${thisProcess().pid}`);
  const watchers = new Set<() => void>();
  const verbs = createVerbs(db, () => self);
  const waking = Object.fromEntries(
    Object.entries(verbs).map(([name, verb]) => [
      name,
      isVerbName(name) && VERBS[name].wakes
        ? async (...args: never[]) => {
            const result = await Reflect.apply(verb, undefined, args);
            for (const onChange of watchers) queueMicrotask(onChange);
            return result;
          }
        : verb,
    ]),
  );
  return {
    ...(waking as unknown as PostgresVerbs),
    watch: (onChange) => {
      watchers.add(onChange);
      return () => watchers.delete(onChange);
    },
    copyTo: async () => {
      throw new Error("not yet");
    },
    close: async () => {
      await direct.end();
      await db.close();
    },
    faults: () => [],
    watchFaults: () => () => {},
  };
}
