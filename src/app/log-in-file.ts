import { hasFaults } from "../flows/watch/faults-file.ts";
import { AppError } from "../shared/errors.ts";
import { whyNotMade } from "../shared/private-dir.ts";
import { type AppContext, once, sizeOf, sqlitePlaces } from "./context.ts";
import type { LogParts } from "./log-parts.ts";

/** `wasConnected`: was any account ever connected here? Then a log that is gone is not taken for one that never was. */
export function logInFile(context: AppContext, wasConnected: () => Promise<boolean>): LogParts {
  const { world, stateDir, clock, closing } = context;
  const { log, temporaryDir } = sqlitePlaces(context);
  const isExpected = async () => sizeOf(log) <= NO_LOG_BYTES && (await wasConnected());
  const openStore = async (options: { toRead: boolean }) => {
    if (!options.toRead) await refuseLostLog(stateDir);
    const { openSqliteStore } = await import("../store/sqlite/sqlite.ts");
    return closing(
      await openSqliteStore({
        stateDir,
        clock,
        signal: world.signal,
        isExpected: await isExpected(),
        ...options,
      }),
    );
  };
  return {
    store: once(() => openStore({ toRead: false })),
    storeToRead: once(async () => {
      if (sizeOf(log) > 0 || (await isExpected())) return await openStore({ toRead: true });
      refuseNowhere(stateDir);
      return null;
    }),
    threadedStore: once(async () => {
      const { openThreadedStore } = await import("../store/sqlite/threaded.ts");
      const threadUrl = new URL("store-thread.js", world.distUrl);
      return closing(
        await openThreadedStore({ stateDir, threadUrl, isExpected: await isExpected(), staysUp: true }),
      );
    }),
    lookAtLog: async (options) =>
      (await import("../store/sqlite/look-at-log.ts")).lookAtLog(stateDir, options),
    lookAtDatabase: async () => null,
    restoring: once(async () => {
      const { openRestoring } = await import("../store/sqlite/restore/restoring.ts");
      return openRestoring(stateDir, clock.now());
    }),
    acceptLog: async (options) => {
      const { acceptLog } = await import("../store/sqlite/accept-log.ts");
      return acceptLog({ stateDir, now: clock.now(), ...options });
    },
    compactLog: async () => {
      const { compactLog } = await import("../store/sqlite/compact-log.ts");
      return compactLog({ stateDir, now: clock.now(), temporaryDir });
    },
  };
}

/** A database without tables has no more bytes than this, nor has a log whose tables are all in its -wal still. */
const NO_LOG_BYTES = 65_536;

/** What a running service says is not its log is nothing to write into, either. */
async function refuseLostLog(stateDir: string): Promise<void> {
  if (!hasFaults(stateDir)) return;
  const { serveFaults } = await import("../flows/watch/serve-faults.ts");
  const lost = serveFaults(stateDir).find(({ kind }) => kind === "lost");
  if (!lost) return;
  throw new AppError("STORE_UNAVAILABLE", `serve runs on another file: ${lost.message}`, { hint: lost.hint });
}

/** Nothing was kept where nothing can be. Throws `STORE_UNAVAILABLE`. */
function refuseNowhere(stateDir: string): void {
  const why = whyNotMade(stateDir);
  if (why === null) return;
  throw new AppError("STORE_UNAVAILABLE", `no state directory can be made at ${stateDir}: ${why}`, {
    hint: "Check --state-dir and JC_STATE_DIR.",
  });
}
