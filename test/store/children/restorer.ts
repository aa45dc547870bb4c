/** Restores a backup, and is killed after so many steps. */
import { pathToFileURL } from "node:url";
import { restoreLog } from "../../../src/flows/backup/restore.ts";
import { systemClock } from "../../../src/shared/clock.ts";
import { openRestoring } from "../../../src/store/sqlite/restore/restoring.ts";
import { openSqliteStore } from "../../../src/store/sqlite/sqlite.ts";
import { openBackupFiles } from "../../../src/store/sqlite/backups.ts";
import { jobcannon } from "../../../src/vendors/jobcannon/source.ts";

const [stateDir = "", backup = "", steps = "", threadPath = ""] = process.argv.slice(2);
const context = {
  stateDir,
  clock: systemClock,
  restoring: async () => openRestoring(stateDir, Date.now()),
  backupFiles: async () => openBackupFiles(pathToFileURL(threadPath), { log: "", temporaryDir: "/var/tmp" }),
  knownErasures: async () => ({ kept: [], marker: null }),
  sources: async () => [jobcannon],
  storeIn: (directory: string) => openSqliteStore({ stateDir: directory, clock: systemClock }),
};
let done = 0;
for await (const step of restoreLog(context, backup)) {
  process.stdout.write(`${JSON.stringify(step)}\n`);
  done += 1;
  if (done === Number(steps)) process.kill(process.pid, "SIGKILL");
}
