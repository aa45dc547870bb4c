import { join } from "node:path";
import Database from "better-sqlite3";
import * as v from "valibot";
import { onTestFinished } from "vitest";
import type { World } from "../world.ts";

/** The rows of the log, read beside the service that writes them. */
export function logOf(world: World) {
  const db = new Database(join(world.stateDir, "log.db"), { readonly: true });
  onTestFinished(() => {
    db.close();
  });
  return {
    rows: <Row>(schema: v.GenericSchema<unknown, Row>, sql: string): Row[] =>
      db
        .prepare(sql)
        .all()
        .map((row) => v.parse(schema, row)),
    count: (sql: string): number => v.parse(v.number(), db.prepare(sql).pluck().get()),
  };
}
