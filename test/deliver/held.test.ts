import { describe, expect, test } from "vitest";
import { HUBSPOT } from "../store/events.ts";
import { connected, DISC_SCORES, invite } from "../world.ts";
import { MINUTE, openStage, people, SECOND, type Stage } from "./stage.ts";

const UPSERT = "/crm/v3/objects/contacts/batch/upsert";
const GROUP = "/groups/jobcannon_assessments";

async function allDelivered(stage: Stage, n: number): Promise<void> {
  await stage.until("all is delivered", async () => (await stage.counts()).delivered === n, 2 * MINUTE);
  const contacts = await stage.contacts();
  expect(contacts.size).toBe(n);
  for (const properties of contacts.values()) expect(properties).toMatchObject(DISC_SCORES);
  expect(await stage.connection()).toMatchObject({ banner: null, outage: null });
}

describe("a property that the portal lost", () => {
  test.each([
    ["one property", "/properties/jc_disc_d"],
    ["the whole group", GROUP],
  ])(
    "in the middle of a backfill (%s) holds what needs it, and a resync brings all of it",
    async (_what, path) => {
      const stage = await openStage();
      await stage.complete(...people(300));
      await stage.start();
      await stage.until("the first arrive", async () => (await stage.counts()).delivered === 300, MINUTE);
      await stage.archive(path);
      await stage.complete(...people(700, 300));
      await stage.until("the others are held", async () => (await stage.counts()).held === 700, MINUTE);
      const { banner } = await stage.connection();
      expect(banner).toContain("HubSpot has no property jc_");
      expect(banner).toContain("Run: jc-integrations resync-properties --org acme");
      expect(await stage.counts()).toMatchObject({ pending: 0, rejected: 0 });

      await stage.through(stage.resync());
      await allDelivered(stage, 1_000);
    },
  );

  test("holds nobody who does not need it", async () => {
    const stage = await openStage();
    await stage.archive("/properties/jc_iq_score");
    const clever = { slug: "iq-test", status: "completed", result: { score: 130 } };
    await stage.take(invite({ email: "clever@example.org", tests: [clever] }));
    await stage.complete(...people(50));
    await stage.start();
    await stage.until("the others arrive", async () => (await stage.counts()).delivered === 50, MINUTE);
    expect(await stage.counts()).toMatchObject({ held: 1, pending: 0 });
  });

  test("that a resync brings back while answers are on their way leaves nothing held", async () => {
    const stage = await openStage();
    await stage.archive(GROUP);
    await stage.fault({ delayMs: 5_000, path: UPSERT });
    await stage.complete(...people(450));
    await stage.start();
    await stage.pass(SECOND);
    expect(stage.calls.map(({ endedAt }) => endedAt)).toEqual(Array(5).fill(null));
    await stage.through(stage.resync());
    await allDelivered(stage, 450);
    expect(await stage.counts()).toMatchObject({ held: 0, pending: 0, rejected: 0 });
  });

  test("again and again, with resyncs at any moment of a delivery, holds nobody for good", async () => {
    const stage = await openStage();
    await stage.fault({ delayMs: 700, path: UPSERT });
    await stage.start();
    for (let round = 0; round < 12; round += 1) {
      await stage.archive(round % 3 === 0 ? GROUP : `/properties/jc_disc_${"disc"[round % 4]}`);
      await stage.complete(...people(150, round * 150));
      await stage.pass(round * 150);
      await stage.through(stage.resync());
    }
    await allDelivered(stage, 12 * 150);
  });
});

describe("a scope that was not granted", () => {
  test("holds the results under a banner, and connecting sends them", async () => {
    const world = await connected();
    await world.portal.settings({ grantedScopes: ["oauth", "crm.objects.contacts.read"] });
    const event = invite();
    await world.run(["invites", "import", world.file("events.ndjson", [event])]);
    expect((await world.run(["run", "retry", "--json"])).json).toMatchObject({ held: 1, delivered: 0 });
    const banner = expect.stringContaining("crm.objects.contacts.write");
    expect((await world.run(["status", "--json"])).json).toMatchObject({
      connections: [{ state: "connected", banner }],
      pushes: { held: 1 },
    });
    await world.portal.settings({ grantedScopes: null });
    expect((await world.run(["connect", "hubspot", "--json"])).json).toMatchObject({ released: 1 });
    expect((await world.run(["run", "retry", "--json"])).json).toMatchObject({ delivered: 1 });
    expect(await world.portal.contacts()).toMatchObject({ [event.data.candidate.email]: DISC_SCORES });
    expect((await world.run(["status", "--json"])).json).toMatchObject({ connections: [{ banner: null }] });
  });

  test("that is granted while the refusal is on its way holds nothing", async () => {
    const stage = await openStage();
    await stage.settings({ grantedScopes: ["oauth", "crm.objects.contacts.read"] });
    await stage.fault({ delayMs: 5_000, path: UPSERT, times: 1 });
    await stage.complete(...people(3));
    const { store } = await stage.start();
    await stage.pass(SECOND);
    await stage.settings({ grantedScopes: null });
    await store.saveConnection(HUBSPOT, { connectedAt: stage.clock.now(), banner: null });
    const { id } = await stage.connection();
    expect(await store.release(id, ["scope"], stage.clock.now())).toBe(0);
    await allDelivered(stage, 3);
  });
});
