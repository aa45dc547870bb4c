import type { CoordinationVerbs } from "../../contract/coordination.ts";
import type { Db, Self } from "../../../postgres/sql.ts";

/** Which services live on this store, on whichever machine. A dead one's row goes with the next who enters. */
export function createServices(db: Db, self: Self): Pick<CoordinationVerbs, "runningServices"> {
  return {
    runningServices: async (options) => {
      if (options?.enter) {
        const facts = JSON.stringify(options.enter);
        await db.write({ keys: ["services"] }, async (tx) => {
          await tx.run("DELETE FROM jc.services WHERE holder NOT IN (SELECT * FROM jc.live_holders())");
          await tx.run(
            "INSERT INTO jc.services (holder, facts) VALUES ($1, $2) ON CONFLICT (holder) DO UPDATE SET facts = excluded.facts",
            [self(), facts],
          );
        });
      }
      const rows = await db.read.all<{ facts: string | null }>(
        "SELECT facts FROM jc.services WHERE holder IN (SELECT * FROM jc.live_holders()) ORDER BY holder",
      );
      return rows.map(({ facts }) => (facts === null ? null : JSON.parse(facts)));
    },
  };
}
