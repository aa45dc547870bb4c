/** Several services of the built program, each with a state directory of its own, on one log in PostgreSQL. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { launchService, type Service } from "../end-to-end/program.ts";
import { asked, postgresServer } from "../store/postgres-server.ts";
import { connected, type World, type WorldOptions } from "../world.ts";

export interface Replicated extends World {
  url: string;
  /** The machine of that number, from 0 on: what it runs shares the log and the vault with the others. */
  machine(index: number): World;
  launch(index: number): Promise<Service>;
  rows<Row>(schema: v.GenericSchema<unknown, Row>, sql: string): Promise<Row[]>;
}

/** A world on a database of its own, whose org is connected to the emulator's portal. */
export async function replicated(options: WorldOptions = {}): Promise<Replicated> {
  const server = await postgresServer(["synchronous_commit=on", "fsync=off"]);
  const url = await server.database();
  const world = await connected({ ...options, env: { ...options.env, JC_STORE_URL: url } });
  const machine = (index: number): World => {
    const stateDir = join(world.dir, `machine-${index}`);
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    return { ...world, stateDir, env: { ...world.env, JC_STATE_DIR: stateDir } };
  };
  return {
    ...world,
    url,
    machine,
    launch: (index) => launchService(machine(index)),
    rows: async (schema, sql) => (await asked(url, sql)).map((row) => v.parse(schema, row)),
  };
}
