/** Where a log may be, and how many services share it there. What they promise is the same, and written once. */
import { join } from "node:path";
import { describe } from "vitest";
import type { Environment } from "../../src/shared/config.ts";
import { describeWithPostgres, postgresServer } from "../store/postgres-server.ts";
import type { World } from "../world.ts";

export interface Place {
  services: number;
  /** What a world whose log is there is configured with. Each has a log of its own. */
  environment(): Promise<Environment>;
  /** Each is on a machine of its own, as far as its files go. */
  stateDirOf(world: World, service: number): string;
  /** How much there is to do: all of it, or what is as telling in less time. */
  sized<Size>(whole: Size, short: Size): Size;
}

const SQLITE: Place = {
  services: 1,
  environment: async () => ({}),
  stateDirOf: (world) => world.stateDir,
  sized: (whole) => whole,
};

const POSTGRES: Place = {
  services: 2,
  environment: async () => {
    const server = await postgresServer(["synchronous_commit=on", "fsync=off"]);
    return { JC_STORE_URL: await server.database() };
  },
  stateDirOf: (world, service) => join(world.dir, `machine-${service}`),
  sized: (whole, short) => (process.env.JC_TEST_REPLICAS === "whole" ? whole : short),
};

export function describeInEachPlace(work: (place: Place) => void): void {
  describe("one service on SQLite", () => work(SQLITE));
  describeWithPostgres("two services on PostgreSQL", () => work(POSTGRES));
}
