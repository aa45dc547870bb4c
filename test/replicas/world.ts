/** Several services of the built program on one log and one vault in PostgreSQL, each with a state directory of its own, as on a machine of its own. */
import { join } from "node:path";
import * as v from "valibot";
import type { Environment } from "../../src/shared/config.ts";
import { launchService, type Service } from "../end-to-end/program.ts";
import { asked, postgresServer } from "../store/postgres-server.ts";
import { connected, type World, type WorldOptions } from "../world.ts";

export interface Replicated extends World {
  url: string;
  /** On a machine of its own, with more in its environment where that is given. */
  launch(env?: Environment): Promise<Service>;
  rows<Row>(schema: v.GenericSchema<unknown, Row>, sql: string): Promise<Row[]>;
}

/** A world on a database of its own, whose org is connected to the emulator's portal. */
export async function replicated(options: WorldOptions = {}): Promise<Replicated> {
  const server = await postgresServer(["synchronous_commit=on", "fsync=off"]);
  const url = await server.database();
  const world = await connected({ ...options, env: { ...options.env, JC_STORE_URL: url } });
  let machines = 0;
  return {
    ...world,
    url,
    launch: (env = {}) => {
      machines += 1;
      return launchService({
        ...world,
        env: { ...world.env, JC_STATE_DIR: join(world.dir, `machine-${machines}`), ...env },
      });
    },
    rows: async (schema, sql) => (await asked(url, sql)).map((row) => v.parse(schema, row)),
  };
}
