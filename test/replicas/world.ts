/** Several services of the built program on one log in PostgreSQL, and on one vault in the state directory. */
import * as v from "valibot";
import { launchService, type Service } from "../end-to-end/program.ts";
import { asked, postgresServer } from "../store/postgres-server.ts";
import { connected, type World, type WorldOptions } from "../world.ts";

export interface Replicated extends World {
  url: string;
  launch(): Promise<Service>;
  rows<Row>(schema: v.GenericSchema<unknown, Row>, sql: string): Promise<Row[]>;
}

/** A world on a database of its own, whose org is connected to the emulator's portal. */
export async function replicated(options: WorldOptions = {}): Promise<Replicated> {
  const server = await postgresServer(["synchronous_commit=on", "fsync=off"]);
  const url = await server.database();
  const world = await connected({ ...options, env: { ...options.env, JC_STORE_URL: url } });
  return {
    ...world,
    url,
    launch: () => launchService(world),
    rows: async (schema, sql) => (await asked(url, sql)).map((row) => v.parse(schema, row)),
  };
}
