import { describe, expect, test } from "vitest";
import { serving } from "../daemon/serving.ts";
import { expectedContacts } from "../end-to-end/contact-model.ts";
import { HUBSPOT } from "../store/events.ts";
import {
  connect,
  connected,
  disc,
  DISC_SCORES,
  freshWorld,
  importResults,
  invite,
  succeed,
  until,
} from "../world.ts";
import { pushesOf } from "./commands.ts";
import { MINUTE, openStage, people, SECOND, type Stage } from "./stage.ts";

const UPSERT = "/crm/v3/objects/contacts/batch/upsert";

async function allDelivered(stage: Stage, n: number): Promise<void> {
  await stage.until("all is delivered", async () => (await stage.counts()).delivered === n, 2 * MINUTE);
  const contacts = await stage.contacts();
  expect(contacts.size).toBe(n);
  for (const properties of contacts.values()) expect(properties).toMatchObject(DISC_SCORES);
  expect(await stage.connection()).toMatchObject({ banner: null, outage: null });
}

describe("a property that the portal lost", () => {
  test.each([
    ["one property", (stage: Stage) => stage.portal.archiveProperty("jc_disc_d")],
    ["the whole group", (stage: Stage) => stage.portal.archiveGroup()],
  ])(
    "between two deliveries (%s) holds what needs it, and a resync brings all of it",
    async (_what, archive) => {
      const stage = await openStage();
      await stage.complete(...people(300));
      await stage.start();
      await stage.until("the first arrive", async () => (await stage.counts()).delivered === 300, MINUTE);
      await archive(stage);
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

  test("in the middle of a backfill, and then the whole group, has cost nothing after one resync", async () => {
    const PEOPLE = 2_400;
    const world = await freshWorld();
    const events = people(PEOPLE).map((email, n) =>
      invite({
        email,
        completed_at: "2024-05-15T10:14:58Z",
        tests: [disc([n % 101, (n * 7) % 101, (n * 13) % 101, (n * 29) % 101])],
      }),
    );
    await importResults(world, events);
    await connect(world);
    await serving(world);
    await world.portal.fault({ delayMs: 100, path: UPSERT });
    const backfill = world.start(["backfill", "--yes", "--rate", "150", "--json"]);
    const held = async () => (await pushesOf(world)).held ?? 0;

    await until("the first arrive", async () => ((await pushesOf(world)).delivered ?? 0) > 300);
    await world.portal.archiveProperty("jc_disc_d");
    await until("results are held for it", async () => (await held()) > 0);
    await world.portal.archiveGroup();
    const heldForOne = await held();
    await until("more are held for the group", async () => (await held()) > heldForOne);
    const { delivered = 0, pending = 0, held: heldForAll = 0 } = await pushesOf(world);
    expect(delivered + pending + heldForAll).toBeLessThan(PEOPLE);
    await succeed(world, ["resync-properties"]);

    expect((await backfill.done).code).toBe(0);
    await until("all arrive", async () => (await pushesOf(world)).delivered === PEOPLE);
    expect(await pushesOf(world)).toMatchObject({ pending: 0, rejected: 0, held: 0 });
    expect(await world.portal.contacts()).toEqual(expectedContacts(events));
  });

  test("holds nobody who does not need it", async () => {
    const stage = await openStage();
    await stage.portal.archiveProperty("jc_iq_score");
    const clever = { slug: "iq-test", status: "completed", result: { score: 130 } };
    await stage.take(invite({ email: "clever@example.org", tests: [clever] }));
    await stage.complete(...people(50));
    await stage.start();
    await stage.until("the others arrive", async () => (await stage.counts()).delivered === 50, MINUTE);
    expect(await stage.counts()).toMatchObject({ held: 1, pending: 0 });
  });

  test("that a resync brings back while answers are on their way leaves nothing held", async () => {
    const stage = await openStage();
    await stage.portal.archiveGroup();
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
      if (round % 3 === 0) await stage.portal.archiveGroup();
      else await stage.portal.archiveProperty(`jc_disc_${"disc"[round % 4]}`);
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
    const words = /✗ held .*the scope crm\.objects\.contacts\.write was not granted/;
    expect((await world.run(["logs", "--wide"])).out).toMatch(words);
    await world.portal.settings({ grantedScopes: null });
    expect((await world.run(["connect", "hubspot", "--json"])).json).toMatchObject({ released: 1 });
    expect((await world.run(["run", "retry", "--json"])).json).toMatchObject({ delivered: 1 });
    expect(await world.portal.contacts()).toMatchObject({ [event.data.candidate.email]: DISC_SCORES });
    expect((await world.run(["status", "--json"])).json).toMatchObject({ connections: [{ banner: null }] });
  });

  test("that is granted while the refusal is on its way holds nothing", async () => {
    const stage = await openStage();
    await stage.portal.settings({ grantedScopes: ["oauth", "crm.objects.contacts.read"] });
    await stage.fault({ delayMs: 5_000, path: UPSERT, times: 1 });
    await stage.complete(...people(3));
    const { store } = await stage.start();
    await stage.pass(SECOND);
    await stage.portal.settings({ grantedScopes: null });
    await store.saveConnection(HUBSPOT, { connectedAt: stage.clock.now(), banner: null });
    const { id } = await stage.connection();
    expect(await store.release(id, { held: ["scope"] }, stage.clock.now())).toBe(0);
    await allDelivered(stage, 3);
  });
});
