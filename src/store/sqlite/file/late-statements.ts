import type { Db } from "./db.ts";

/**
 * Statements are prepared when they are first used: of the store's 500 a command uses few and a service a third, and to
 * prepare the others takes longer than all that a command does with them, and memory for as long as a service runs.
 */
export function prepareLate(db: Db): void {
  const prepare = db.prepare.bind(db);
  type Statement = ReturnType<typeof prepare>;
  const late = (sql: string) => {
    let isPlucked = false;
    let prepared: Statement | null = null;
    const statement = () => (prepared ??= isPlucked ? prepare(sql).pluck() : prepare(sql));
    const standIn = {
      run: (...values: unknown[]) => statement().run(...values),
      get: (...values: unknown[]) => statement().get(...values),
      all: (...values: unknown[]) => statement().all(...values),
      iterate: (...values: unknown[]) => statement().iterate(...values),
      pluck: () => {
        if (prepared) prepared.pluck();
        isPlucked = true;
        return standIn;
      },
    };
    return standIn;
  };
  Object.assign(db, { prepare: late });
}
