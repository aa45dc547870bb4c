import * as v from "valibot";
import { expect, test } from "vitest";
import { allDelivered, send } from "../end-to-end/program.ts";
import { describeWithPostgres } from "../store/postgres-server.ts";
import { importResults, invite, until } from "../world.ts";
import { replicated } from "./world.ts";

describeWithPostgres("two services on one portal", () => {
  test("share one rate window: no call of theirs is one too many", async () => {
    const world = await replicated({ env: { JC_HUBSPOT_TIER: "paid" } });
    await world.portal.fault({ rateLimit: "20/10s" });
    await importResults(
      world,
      Array.from({ length: 4_000 }, () => invite()),
    );
    await Promise.all([world.launch(), world.launch()]);
    await allDelivered(world);
    const requests = await world.portal.requests();
    expect(requests.filter(({ status }) => status === 429)).toEqual([]);
  });

  test("run each job once at its time, whichever of them does", async () => {
    const world = await replicated({ env: { JC_LOG_LEVEL: "debug" } });
    const services = await Promise.all([world.launch(), world.launch()]);
    const runs = () =>
      services.flatMap(({ err }) =>
        [...err().matchAll(/ job {2}name=(\S+) {2}due=(\S+)/g)].map(([, name, due]) => `${name} ${due}`),
      );
    await until("all that were due ran", () => new Set(runs()).size >= 8);
    expect(runs().toSorted()).toEqual([...new Set(runs())].toSorted());
  });

  test("one's news is another's within a moment, by whichever it came in", async () => {
    const world = await replicated();
    const services = [await world.launch(), await world.launch()];
    for (const { url } of services) expect((await send(url, invite()))?.status).toBe(202);
    await allDelivered(world);
    const [row] = await world.rows(
      v.object({ n: v.string() }),
      "SELECT count(*)::text AS n FROM jc.pushes WHERE state = 'delivered'",
    );
    expect(row?.n).toBe("2");
  });
});
