import { type AppContext, databaseOf, once } from "./context.ts";
import type { LogParts } from "./log-parts.ts";

/** Several machines may work on it at once. */
export function logInDatabase(context: AppContext): LogParts {
  const { closing } = context;
  const database = databaseOf(context);
  const open = (options: { staysUp: boolean }) =>
    once(async () => {
      const { openPostgresStore } = await import("../store/postgres/postgres.ts");
      return closing(await openPostgresStore({ ...database, ...options }));
    });
  return {
    store: open({ staysUp: false }),
    storeToRead: once(async () => {
      const { openPostgresToRead } = await import("../store/postgres/postgres.ts");
      const opened = await openPostgresToRead(database);
      return opened && closing(opened);
    }),
    // Without a file there is nothing for a thread to wait for.
    threadedStore: open({ staysUp: true }),
    lookAtLog: async () => null,
    lookAtDatabase: async () =>
      (await import("../store/postgres/look-at-database.ts")).lookAtDatabase(database),
    restoring: () => refuse("going back to a backup's file"),
    acceptLog: async () => {
      throw (await import("../core/advice/database.ts")).noNewLogInPostgres();
    },
    compactLog: async () => {
      throw (await import("../core/advice/database.ts")).notCompactedHere();
    },
  };
}

async function refuse(what: string): Promise<never> {
  throw (await import("../core/advice/database.ts")).notInPostgres(what);
}
