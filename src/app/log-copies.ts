import { COPY_TARGET } from "../core/advice/database.ts";
import type { HoldingContext } from "../flows/backup/holding.ts";
import type { CopySource, CopyStanding, CopyTarget } from "../store/contract/copying.ts";
import type { BackupFiles, Store } from "../store/contract/store.ts";
import { type AppContext, databaseOf, once, sqlitePlaces } from "./context.ts";

/** The log elsewhere: in backups, in another state directory, in a database that it is carried to. */
export interface LogCopies {
  /** Copies of the log, looked through in a thread of their own. */
  backupFiles(): Promise<BackupFiles>;
  /** Whether a copy of the log holds a person. */
  heldInCopy: HoldingContext["heldInCopy"];
  /** The store of another state directory, to be closed by whoever asks. */
  storeIn(stateDir: string): Promise<Store>;
  /** The log's file, whatever `store.url` says, to be copied; nobody writes to it until it is closed. */
  copySource(): Promise<CopySource>;
  /** The database at that URL, to be copied to. */
  copyTarget(url: string): Promise<CopyTarget>;
  /** How it would be found, for who only looks. */
  lookAtCopyTarget(url: string, source: CopySource): Promise<CopyStanding>;
}

export function logCopies(context: AppContext): LogCopies {
  const { world, stateDir, clock, closing } = context;
  const database = databaseOf(context);
  return {
    backupFiles: once(async () => {
      const { openBackupFiles } = await import("../store/sqlite/backups.ts");
      const threadUrl = new URL("backup-thread.js", world.distUrl);
      return closing(await openBackupFiles(threadUrl, sqlitePlaces(context)));
    }),
    heldInCopy: async (...of) => (await import("../store/sqlite/erasure/in-copy.ts")).heldInCopy(...of),
    storeIn: async (directory) => {
      const { openSqliteStore } = await import("../store/sqlite/sqlite.ts");
      return await openSqliteStore({ stateDir: directory, clock, signal: world.signal });
    },
    copySource: async () => {
      const { openCopySource } = await import("../store/sqlite/copying/source.ts");
      return openCopySource(stateDir, clock.now());
    },
    copyTarget: async (url) => {
      const { openCopyTarget } = await import("../store/postgres/copying/target.ts");
      return closing(await openCopyTarget({ ...database, url }, COPY_TARGET));
    },
    lookAtCopyTarget: async (url, source) => {
      const { lookAtCopyTarget } = await import("../store/postgres/copying/target.ts");
      return await lookAtCopyTarget({ ...database, url }, COPY_TARGET, source);
    },
  };
}
