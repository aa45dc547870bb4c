import { openPostgresStore } from "../../src/store/postgres/postgres.ts";
import { describeStore } from "./contract.ts";
import { describeWithPostgres, postgresServer } from "./postgres-server.ts";
import type { OpenStore } from "./world.ts";

/** What stands for a state directory is a database of its own. */
const databases = new Map<string, Promise<string>>();
const open: OpenStore = async (stateDir) => {
  const server = await postgresServer();
  const url = databases.get(stateDir) ?? server.database();
  databases.set(stateDir, url);
  return openPostgresStore({ url: await url });
};

describeWithPostgres("PostgreSQL", () => {
  describeStore("the store", open);
});
