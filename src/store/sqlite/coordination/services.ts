import { isRunning, type ProcessIdentity } from "../../../shared/process-identity.ts";
import type { Db } from "../file/db.ts";
import { transaction } from "../file/transaction.ts";

/** Which services live on this store. A killed one is known by its absence, and its row goes with the next who enters. */
export function createServices(db: Db, self: ProcessIdentity) {
  const all = db.prepare<[], ProcessIdentity>(
    "SELECT pid, started_at AS startedAt, boot_id AS bootId FROM services",
  );
  const enter = db.prepare(
    "INSERT OR IGNORE INTO services (pid, started_at, boot_id) VALUES (@pid, @startedAt, @bootId)",
  );
  const leave = db.prepare(
    "DELETE FROM services WHERE pid = @pid AND started_at = @startedAt AND boot_id = @bootId",
  );
  const enterService = transaction(db, () => {
    for (const service of all.all()) if (!isRunning(service)) leave.run(service);
    enter.run(self);
  });
  return {
    runningServices: (options?: { enter: true }): number => {
      if (options?.enter) enterService();
      return all.all().filter(isRunning).length;
    },
  };
}
