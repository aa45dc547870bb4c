/** Whether an org's results may go to an account whose data rest in another region. */
import { appendFileSync } from "node:fs";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { atsWorld } from "../ats/world.ts";
import { serving } from "../daemon/serving.ts";
import { prepared, succeed, type World } from "../world.ts";
import { answer, linkFor, publicWorld, wordsOf } from "./linked.ts";
import { expectNoConnection, OTHER_PORTAL } from "./world.ts";

const EU = '\n[orgs.acme]\nresidency = "eu"\n';
const ALLOWED = "--allow-cross-region";

const Shown = v.object({ connections: v.array(v.object({ residency: v.unknown() })) });
/** As `status --json` has it. */
const residencyIn = async (world: World) =>
  v.parse(Shown, (await world.run(["status", "--json"])).json).connections[0]?.residency;

/** Acme's data shall stay in the EU, and the portal keeps its own in the United States. */
async function apart(world: World): Promise<World> {
  appendFileSync(world.configFile, EU);
  await world.portal.settings({ dataHostingLocation: "na1" });
  return world;
}

describe("an account whose data rest in another region than the org's shall", () => {
  test("is refused with 2, both places and what to type, and nothing is kept", async () => {
    const world = await apart(await prepared());
    const { code, err } = await world.run(["connect", "hubspot"]);
    expect(code).toBe(2);
    expect(err).toContain(
      "the data of acme shall stay in eu, and HubSpot keeps the account's data in us (na1)",
    );
    expect(err).toContain(`jc-integrations connect hubspot --org acme ${ALLOWED}`);
    await expectNoConnection(world);
    expect(await world.portal.contacts()).toEqual({});
  });

  test("is taken with --allow-cross-region, shown as allowed, and not asked for at the next connect", async () => {
    const world = await apart(await prepared());
    const { out } = await succeed(world, ["connect", "hubspot", ALLOWED]);
    expect(out).toContain("another region than results shall be in: allowed");
    expect((await world.run(["connect", "hubspot"])).code).toBe(0);
    expect(await residencyIn(world)).toMatchObject({
      org: "eu",
      store: "eu",
      account: "us",
      told: "na1",
      isAllowed: true,
      isTrouble: false,
    });
    const status = await world.run(["status"]);
    expect(status.out).toContain(
      "HubSpot: its data rest in na1; this log of acme's is in eu, and shall be in eu; --allow-cross-region was given",
    );
    // Another account is another question, and so are other regions.
    await world.portal.settings({ portalId: OTHER_PORTAL });
    expect((await world.run(["connect", "hubspot", "--yes"])).code).toBe(2);
    await world.portal.settings({ portalId: 8480001, dataHostingLocation: "ap1" });
    const moved = await world.run(["connect", "hubspot"]);
    expect(moved.err).toContain("keeps the account's data in ap1\n");
  });

  test("that was connected before anybody declared a region is told by status, with what to type", async () => {
    const world = await prepared();
    await succeed(world, ["connect", "hubspot"]);
    expect(await residencyIn(world)).toMatchObject({ told: "eu1", isTrouble: false });
    appendFileSync(world.configFile, '\n[orgs.acme]\nresidency = "us"\n');
    const { code, out } = await world.run(["status"]);
    expect(code).toBe(0);
    expect(out).toMatch(
      /! HubSpot: the data of acme shall stay in us, and this log is in eu \(store\.region\); .*connect hubspot --org acme --allow-cross-region/,
    );
  });
});

describe("where nobody said where an org's data shall stay", () => {
  test("the region of the log counts", async () => {
    const world = await prepared();
    await world.portal.settings({ dataHostingLocation: "na2" });
    const { code, err } = await world.run(["connect", "hubspot"]);
    expect(code).toBe(2);
    expect(err).toContain(
      "this log is in eu (store.region), and HubSpot keeps the account's data in us (na2)",
    );
    expect((await world.run(["connect", "hubspot"], { env: { JC_STORE_REGION: "us" } })).code).toBe(0);
  });
});

describe("a link", () => {
  test("brings no account of another region, tells the admin no more than that, and is good again", async () => {
    const world = await apart(await publicWorld());
    const service = await serving(world);
    const link = await linkFor(world);
    const page = await answer(link);
    expect(page.status).toBe(409);
    expect(wordsOf(page)).toContain("another region than JobCannon may send");
    const { out } = await world.run(["status"]);
    expect(out).toContain("was refused: the data of acme shall stay in eu");
    expect(service.running.err()).toContain(`--via-service ${ALLOWED}`);
    await world.portal.settings({ dataHostingLocation: "eu1" });
    expect((await answer(link)).status).toBe(200);
  });

  test("made with --allow-cross-region brings it", async () => {
    const world = await apart(await publicWorld());
    await serving(world);
    expect((await answer(await linkFor(world, ALLOWED))).status).toBe(200);
    expect(await residencyIn(world)).toMatchObject({ told: "na1", isAllowed: true });
  });

  test("is not made where the log itself is in the wrong region", async () => {
    const world = await publicWorld();
    appendFileSync(world.configFile, '\n[orgs.acme]\nresidency = "us"\n');
    const { code, out, err } = await world.run(["connect", "hubspot", "--via-service"]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("shall stay in us, and this log is in eu (store.region)");
  });
});

describe("SmartRecruiters, whose region the operator declares", () => {
  test("is refused before anybody is asked for consent, and shown as it is declared now", async () => {
    const world = await atsWorld({
      config: '[orgs.acme]\nresidency = "eu"\nsmartrecruiters_region = "us"\n',
    });
    const refused = await world.run(["connect", "smartrecruiters"]);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain("and SmartRecruiters keeps the account's data in us\n");
    expect(world.visits).toEqual([]);
    await succeed(world, ["connect", "smartrecruiters", ALLOWED]);
    const { out } = await world.run(["status"]);
    expect(out).toContain("SmartRecruiters: its data rest in us;");
  });

  test("whose region nobody declared is connected, and said not to be known", async () => {
    const world = await atsWorld({ config: '[orgs.acme]\nresidency = "eu"\n' });
    await succeed(world, ["connect", "smartrecruiters"]);
    const { out } = await world.run(["status"]);
    expect(out).toContain("SmartRecruiters: where its data rest is not known;");
  });
});
