import { isRunning, type ProcessIdentity } from "../../../shared/process-identity.ts";
import type { ServiceFacts } from "../../contract/coordination.ts";
import type { Db } from "../file/db.ts";
import { transaction } from "../file/transaction.ts";

type Row = ProcessIdentity & { facts: string | null };

/** Which services live on this store. A killed one is known by its absence, and its row goes with the next who enters. */
export function createServices(db: Db, self: ProcessIdentity) {
  const all = db.prepare<[], Row>(
    "SELECT pid, started_at AS startedAt, boot_id AS bootId, facts FROM services",
  );
  const enter = db.prepare(
    `INSERT INTO services (pid, started_at, boot_id, facts) VALUES (@pid, @startedAt, @bootId, @facts)
     ON CONFLICT DO UPDATE SET facts = excluded.facts`,
  );
  const leave = db.prepare(
    "DELETE FROM services WHERE pid = @pid AND started_at = @startedAt AND boot_id = @bootId",
  );
  const enterService = transaction(db, (facts: ServiceFacts) => {
    for (const service of all.all()) if (!isRunning(service)) leave.run(service);
    enter.run({ ...self, facts: JSON.stringify(facts) });
  });
  return {
    runningServices: (options?: { enter: ServiceFacts }): (ServiceFacts | null)[] => {
      if (options?.enter) enterService(options.enter);
      return all
        .all()
        .filter(isRunning)
        .map(({ facts }) => (facts === null ? null : JSON.parse(facts)));
    },
  };
}
