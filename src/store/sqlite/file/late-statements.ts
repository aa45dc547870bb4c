import type { Statement } from "better-sqlite3";
import type { Db } from "./db.ts";

/**
 * Statements are prepared when they are first used: of the store's 500 a command uses few and a service a third, and to
 * prepare the others takes longer than all that a command does with them, and memory for as long as a service runs. What
 * stands in for one has what verbs use of it, and no more: `run`, `get`, `all` and `pluck`.
 */
export function prepareLate(db: Db): void {
  const prepare = db.prepare.bind(db);
  const late = (sql: string) => {
    let prepared: Statement<unknown[]> | null = null;
    let isPlucked = false;
    const statement = () => {
      prepared ??= isPlucked ? prepare<unknown[]>(sql).pluck() : prepare<unknown[]>(sql);
      return prepared;
    };
    const standIn = {
      run: (...values: unknown[]) => statement().run(...values),
      get: (...values: unknown[]) => statement().get(...values),
      all: (...values: unknown[]) => statement().all(...values),
      pluck: () => {
        isPlucked = true;
        return standIn;
      },
    };
    return standIn;
  };
  Object.assign(db, { prepare: late });
}
