import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { openPostgresStore } from "../../src/store/postgres/postgres.ts";
import { temporaryDirectory } from "../directory.ts";
import { describeWithPostgres, postgresServer } from "./postgres-server.ts";
import { step, told } from "./random-history.ts";
import { openDirect } from "./world.ts";
import { tries } from "../tries.ts";

describeWithPostgres("SQLite and PostgreSQL", () => {
  test("give the same answers to one and the same history", async () => {
    const directory = temporaryDirectory();
    const server = await postgresServer();
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12, size: "max" }), async (steps) => {
        runs += 1;
        const stores = [
          await openDirect(join(directory, String(runs))),
          await openPostgresStore({ url: await server.database() }),
        ];
        try {
          const [inSqlite, inPostgres] = await Promise.all(stores.map((store) => told(store, steps)));
          expect(inPostgres).toEqual(inSqlite);
        } finally {
          for (const store of stores) await store.close();
        }
      }),
      tries(15),
    );
  });
});
