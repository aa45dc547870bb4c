import * as v from "valibot";
import { expect, test } from "vitest";
import { allDelivered, send } from "../end-to-end/program.ts";
import { describeWithPostgres } from "../store/postgres-server.ts";
import { importResults, invite, until } from "../world.ts";
import { replicated } from "./world.ts";

describeWithPostgres("two machines on one portal", () => {
  test("share one rate window: no call of theirs is one too many", async () => {
    const world = await replicated({ env: { JC_HUBSPOT_TIER: "paid" } });
    await world.portal.fault({ rateLimit: "20/10s" });
    await importResults(
      world.machine(0),
      Array.from({ length: 4_000 }, () => invite()),
    );
    await Promise.all([world.launch(0), world.launch(1)]);
    await allDelivered(world.machine(0));
    const requests = await world.portal.requests();
    expect(requests.filter(({ status }) => status === 429)).toEqual([]);
  });

  test("run each job once at its time, whichever of them does", async () => {
    const world = await replicated({ env: { JC_SCHEDULE_RETRY_EVERY: "1s", JC_LOG_LEVEL: "debug" } });
    const services = [await world.launch(0), await world.launch(1)];
    const runs = () =>
      services.flatMap(({ err }) =>
        [...err().matchAll(/job.*?name=retry.*?due=(\S+)|"name":"retry","due":"([^"]+)"/g)].map(
          (found) => found[1] ?? found[2],
        ),
      );
    await until("it ran ten times", () => runs().length >= 10);
    expect(new Set(runs()).size).toBe(runs().length);
  });

  test("one's news is another's within a moment, by whichever it came in", async () => {
    const world = await replicated();
    const services = [await world.launch(0), await world.launch(1)];
    for (const { url } of services) expect((await send(url, invite()))?.status).toBe(202);
    await allDelivered(world.machine(1));
    const [row] = await world.rows(
      v.object({ n: v.string() }),
      "SELECT count(*)::text AS n FROM jc.pushes WHERE state = 'delivered'",
    );
    expect(row?.n).toBe("2");
  });
});
