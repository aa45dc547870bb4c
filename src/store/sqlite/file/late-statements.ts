import type { Db } from "./db.ts";

/**
 * Statements are prepared when they are first used: a command uses few of the store's 160, and to prepare the others
 * takes longer than all that it does with them. `serve` uses most of them, and prepares them as it starts.
 */
export function prepareLate(db: Db): void {
  const prepare = db.prepare.bind(db);
  const late = (sql: string) => {
    let isPlucked = false;
    let prepared: ReturnType<typeof prepare> | null = null;
    const statement = () => {
      prepared ??= isPlucked ? prepare(sql).pluck() : prepare(sql);
      return prepared;
    };
    const pluck = () => {
      isPlucked = true;
      return standIn;
    };
    const standIn: object = new Proxy(
      {},
      {
        get: (_, name) => {
          if (name === "pluck" && !prepared) return pluck;
          const value: unknown = Reflect.get(statement(), name);
          return typeof value === "function" ? value.bind(statement()) : value;
        },
      },
    );
    return standIn;
  };
  Object.assign(db, { prepare: late });
}
