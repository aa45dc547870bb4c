import { NOT_HELD } from "../../../core/erasure.ts";
import { emailKey } from "../../../core/event.ts";
import type { NewRun, Run, RunProgress } from "../../contract/store.ts";
import { type RunRow, runOf } from "../../rows/runs.ts";
import { createAdopt } from "./adopt.ts";
import type { Db } from "../file/db.ts";
import { type Sliced, unlocked } from "../file/slices.ts";
import { transaction } from "../file/transaction.ts";

/** What operators had sent again or for the first time: one audit row a run, and how its pushes stand. */
export function createRuns(db: Db) {
  const start = db.prepare(
    "INSERT INTO runs (command, org, who, filter, started_at) VALUES (@command, @org, @who, @filter, @now)",
  );
  const note = db.prepare("UPDATE runs SET counts = @counts, ended_at = @endedAt WHERE id = @id");
  const list = db.prepare<[string, number], RunRow>(
    "SELECT id, command, who, filter, counts, started_at, ended_at FROM runs WHERE org = ? ORDER BY id DESC LIMIT ?",
  );
  const adopt = createAdopt(db);
  const isHeld = db
    .prepare<{ org: string; address: string }, number>(`
      SELECT 1 WHERE EXISTS (SELECT 1 FROM invites WHERE org = @org AND contact = @address)
        OR EXISTS (SELECT 1 FROM connections c JOIN pushes p ON p.connection_id = c.id WHERE c.org = @org AND p.subject = @address)`)
    .pluck();
  // In the order in which it was typed.
  const noted = (org: string, filter: NewRun["filter"]): NewRun["filter"] => {
    const { email } = filter;
    if (typeof email !== "string") return filter;
    return { ...filter, email: isHeld.get({ org, address: emailKey(email) }) ? email : NOT_HELD };
  };
  const startRun = transaction(db, ({ command, org, who, filter, now }: NewRun): number =>
    Number(start.run({ command, org, who, filter: JSON.stringify(noted(org, filter)), now }).lastInsertRowid),
  );
  const noteRun = transaction(db, ({ id, counts, endedAt }: RunProgress): void => {
    note.run({ id, counts: JSON.stringify(counts), endedAt });
  });

  return {
    *saveRun(run: NewRun | RunProgress): Sliced<{ id: number; adopted: number }> {
      if ("id" in run) {
        noteRun(run);
        return { id: run.id, adopted: 0 };
      }
      const id = yield* unlocked(() => startRun(run));
      const { selections, limit } = run.adopts ?? { selections: [], limit: 0 };
      let adopted = 0;
      for (const selection of selections) adopted += yield* adopt(id, selection, limit - adopted);
      return { id, adopted };
    },
    runs: (org: string, limit: number): Run[] => list.all(org, limit).map(runOf),
  };
}
