import { join } from "node:path";
import Database from "better-sqlite3";
import { Client, types } from "pg";
import * as v from "valibot";
import { onTestFinished } from "vitest";
import type { World } from "../world.ts";

const INT8 = 20;

/** The rows of the log, wherever it is, read beside the services that write them. */
export function logOf(world: World) {
  const url = world.env.JC_STORE_URL;
  const ask = url ? asking(url) : reading(join(world.stateDir, "log.db"));
  return {
    rows: async <Row>(schema: v.GenericSchema<unknown, Row>, sql: string): Promise<Row[]> =>
      (await ask(sql)).map((row) => v.parse(schema, row)),
    count: async (sql: string): Promise<number> =>
      v.parse(v.number(), Object.values(Object((await ask(sql))[0]))[0]),
  };
}

function reading(file: string): (sql: string) => Promise<unknown[]> {
  const db = new Database(file, { readonly: true });
  onTestFinished(() => {
    db.close();
  });
  return async (sql) => db.prepare(sql).all();
}

function asking(connectionString: string): (sql: string) => Promise<unknown[]> {
  return async (sql) => {
    const client = new Client({
      connectionString,
      options: "-c search_path=jc",
      types: {
        getTypeParser: (oid, format) => (oid === INT8 ? Number : types.getTypeParser(oid, format)),
      },
    });
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  };
}
