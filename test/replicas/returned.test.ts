import { expect, test } from "vitest";
import { systemClock } from "../../src/shared/clock.ts";
import { allDelivered, send } from "../end-to-end/program.ts";
import { leastOf } from "../least.ts";
import { asked, describeWithPostgres, takenAway } from "../store/postgres-server.ts";
import { invite, until } from "../world.ts";
import { leasesNoted } from "./noted-leases.ts";
import { replicated } from "./world.ts";

const CALL_MS = 1_500;
const AWAY_MS = 3_000;
/** By the database's time: about one second, and another for a machine that is busy. */
const SOON_MS = 2_000;

describeWithPostgres("a service whose database was away", () => {
  test("delivers soon after its return, though it failed a delivery meanwhile", async () => {
    const world = await replicated({ env: { JC_HUBSPOT_TIER: "paid" } });
    const service = await world.launch();
    const leases = await leasesNoted(world.url);
    const laterMs = async () => {
      const first = (await leases()).length;
      await world.portal.fault({ delayMs: CALL_MS, times: 1 });
      expect((await send(service.url, invite()))?.status).toBe(202);
      await until("a call is under way", async () => (await leases()).length > first);
      const giveBack = await takenAway(world.url);
      // The call ends meanwhile, and that cannot be noted.
      await systemClock.sleep(AWAY_MS);
      await giveBack();
      const backAt = await nowIn(world.url);
      const before = (await leases()).length;

      const event = invite();
      await until("it is taken", async () => (await send(service.url, event))?.status === 202);
      const [takenAt, claimed] = [
        await nowIn(world.url),
        await until("it is claimed", async () => (await leases())[before]),
      ];
      const isThere = async () => event.data.candidate.email in (await world.portal.contacts());
      await until("it is delivered", isThere);
      await allDelivered(world);
      // Half of the time from its return on was the sender's, who tries again.
      return Math.max(claimed.at - takenAt, (claimed.at - backAt) / 2);
    };
    expect(await leastOf(SOON_MS, laterMs)).toBeLessThan(SOON_MS);
  });
});

async function nowIn(url: string): Promise<number> {
  const [row] = await asked(url, "SELECT jc.now_ms()::float8 AS at");
  return Number(Object(row).at);
}
