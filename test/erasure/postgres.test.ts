/** What the built program says of an erased person's bytes where the log is in PostgreSQL. */
import { expect, test } from "vitest";
import { describeWithPostgres, postgresServer } from "../store/postgres-server.ts";
import { connected, importResults, invite, succeed } from "../world.ts";

const ANN = "ann@example.org";

describeWithPostgres("erase, where the log is in PostgreSQL", () => {
  test.each([[], ["--later"]])(
    "takes the rows out, and says that the bytes are the database's %s",
    async (...flags) => {
      const url = await (await postgresServer()).database();
      const world = await connected({ env: { JC_STORE_URL: url } });
      await importResults(world, [invite({ email: ANN })]);
      const { out } = await succeed(world, ["erase", "-", "--yes", ...flags], `${ANN}\n`);
      expect(out).toContain("Their bytes stay in the database's files until it writes over them");
      expect(out).not.toContain("No byte");
      const again = await succeed(world, ["erase", "-", "--yes", "--json", ...flags], `${ANN}\n`);
      expect(again.json).toMatchObject({ bytes: "database" });
    },
  );
});

describeWithPostgres("run retention --compact, where the log is in PostgreSQL", () => {
  test("says at once that there is nothing to compact, whoever serves", async () => {
    const url = await (await postgresServer()).database();
    const world = await connected({ env: { JC_STORE_URL: url } });
    const service = world.start(["serve", "--json"]);
    try {
      const { code, err } = await world.run(["run", "retention", "--compact", "--yes"]);
      expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining("takes back by itself") });
      expect(err).not.toContain("Stop serve");
    } finally {
      await service.stop();
    }
  });
});
