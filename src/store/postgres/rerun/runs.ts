import { NOT_HELD } from "../../../core/erasure.ts";
import { emailKey } from "../../../core/event.ts";
import type { NewRun, RerunVerbs } from "../../contract/rerun.ts";
import { type RunRow, runOf } from "../../rows/runs.ts";
import type { Db, Sql } from "../../../postgres/sql.ts";
import { adopt } from "./adopt.ts";

/** What operators had sent again or for the first time: one audit row a run, and how its pushes stand. */
export function createRuns(db: Db): Pick<RerunVerbs, "saveRun" | "runs"> {
  return {
    saveRun: async (run) => {
      if ("id" in run) {
        const { id, counts, endedAt } = run;
        await db.write({}, (tx) =>
          tx.run("UPDATE jc.runs SET counts = $1, ended_at = $2 WHERE id = $3", [
            JSON.stringify(counts),
            endedAt,
            id,
          ]),
        );
        return { id, adopted: 0 };
      }
      const { command, org, who, filter, now } = run;
      const row = await db.write({}, async (tx) =>
        tx.get<{ id: number }>(
          "INSERT INTO jc.runs (command, org, who, filter, started_at) VALUES ($1, $2, $3, $4, $5) RETURNING id",
          [command, org, who, JSON.stringify(await noted(tx, org, filter)), now],
        ),
      );
      if (!row) throw new Error("a run vanished while it was written");
      const { selections, limit } = run.adopts ?? { selections: [], limit: 0 };
      let adopted = 0;
      for (const selection of selections) adopted += await adopt(db, row.id, selection, limit - adopted);
      return { id: row.id, adopted };
    },
    runs: async (org, limit) => {
      const rows = await db.read.all<RunRow>(
        `SELECT id, command, who, filter, counts, started_at, ended_at FROM jc.runs WHERE org = $1 ORDER BY id DESC LIMIT $2`,
        [org, limit],
      );
      return rows.map(runOf);
    },
  };
}

/** In the order in which it was typed. */
async function noted(tx: Sql, org: string, filter: NewRun["filter"]): Promise<NewRun["filter"]> {
  const { email } = filter;
  if (typeof email !== "string") return filter;
  const held = await tx.get(
    `SELECT 1 WHERE EXISTS (SELECT 1 FROM jc.invites WHERE org = $1 AND contact = $2)
      OR EXISTS (SELECT 1 FROM jc.connections c JOIN jc.pushes p ON p.connection_id = c.id WHERE c.org = $1 AND p.subject = $2)`,
    [org, emailKey(email)],
  );
  return { ...filter, email: held ? email : NOT_HELD };
}
