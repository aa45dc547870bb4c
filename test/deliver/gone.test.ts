import { describe, expect, test } from "vitest";
import { callApi, runProgram, statusOf } from "../connect/world.ts";
import { connected, DISC_SCORES, importResults, invite, succeed, type World } from "../world.ts";

const ANN = "ann@example.org";
const BEN = "ben@example.org";
const NEVER = { env: { JC_HUBSPOT_RECREATE: "never" } };

/** Both have their results in the portal, and a second one of Ann waits. */
async function told(options: Parameters<typeof connected>[0] = {}): Promise<World> {
  const world = await connected(options);
  await importResults(world, [invite({ email: ANN }), invite({ email: BEN })]);
  await succeed(world, ["run", "retry"]);
  return world;
}

async function newResults(world: World, ...emails: string[]) {
  await importResults(
    world,
    emails.map((email) => invite({ email, sent_at: "2024-06-01T09:00:00Z" })),
  );
  return await world.run(["run", "retry", "--json"]);
}

async function outcomes(world: World, outcome: string): Promise<string> {
  return (await succeed(world, ["logs", "--outcome", outcome, "--reveal"])).out;
}

describe("a contact that is gone from the portal", () => {
  test("comes back with its next result, and that is told: on the push, and in logs", async () => {
    const world = await told();
    expect(await outcomes(world, "recreated")).toBe("No attempt matches.\n");
    await world.portal.removeContact(ANN);
    expect(await newResults(world, ANN, BEN)).toMatchObject({ code: 0, json: { delivered: 2 } });
    expect((await world.portal.contacts())[ANN]).toMatchObject(DISC_SCORES);

    const log = await runProgram(world, ["logs", "--outcome", "recreated", "--reveal"]);
    expect(log.out).toContain(ANN);
    expect(log.out).not.toContain(BEN);
    expect(log.out).toContain("it was gone from the account, or had another address there");
    const { out } = await world.run(["invites", "list", "--email", ANN, "--json"]);
    const [, id = ""] = /"invitationId":"(inv_\w+)"/.exec(out.replaceAll(" ", "")) ?? [];
    expect((await succeed(world, ["invites", "show", id])).out).toContain("was created anew");
    expect((await statusOf(world)).pushes).toMatchObject({ delivered: 2, held: 0 });
  });

  test("since its address was corrected there gets a twin, which is told likewise", async () => {
    const world = await told();
    const [ann] = (await world.portal.wholeContacts()).filter(({ email }) => email === ANN);
    await callApi(world, "PATCH", `/crm/v3/objects/contacts/${ann?.id}`, {
      properties: { email: "a.lee@example.org" },
    });
    await newResults(world, ANN);
    expect(Object.keys(await world.portal.contacts()).sort()).toEqual(["a.lee@example.org", ANN, BEN]);
    expect(await outcomes(world, "recreated")).toContain(ANN);
  });

  test("is no news where it was never told of anything", async () => {
    const world = await told();
    await newResults(world, "new@example.org");
    expect(await outcomes(world, "recreated")).toBe("No attempt matches.\n");
  });
});

describe('with hubspot.recreate = "never"', () => {
  test("it stays gone: looked for first, held, and everybody else goes", async () => {
    const world = await told(NEVER);
    await world.portal.removeContact(ANN);
    const { code, json, err } = await newResults(world, ANN, BEN, "new@example.org");
    expect({ code, json }).toMatchObject({ code: 7, json: { delivered: 2, held: 1 } });
    expect(err).toContain("1 result held until their contacts are back in hubspot");
    expect(err).toContain("jc-integrations replay --recreate --org acme --yes");
    expect(Object.keys(await world.portal.contacts()).sort()).toEqual([BEN, "new@example.org"]);
    expect(await outcomes(world, "held")).toContain("hubspot.recreate is never");
    expect((await statusOf(world)).banner).toContain("1 result held");
    const anew = "to make them anew: jc-integrations replay --recreate --org acme --yes";
    for (const argv of [["status"], ["logs"], ["replay", "--status", "held"]])
      expect((await world.run(argv, NEVER)).out, argv.join(" ")).toContain(anew);
  });

  test("and nobody is gone, costs one look for a call and holds nobody", async () => {
    const world = await told(NEVER);
    expect(await newResults(world, ANN, BEN)).toMatchObject({ code: 0, json: { delivered: 2, held: 0 } });
    expect(await world.portal.requests({ to: "/batch/read" })).toHaveLength(1);
  });

  test("it is released by itself once it is found, not before", async () => {
    const world = await told(NEVER);
    const id = await world.portal.removeContact(ANN);
    await newResults(world, ANN);
    expect((await succeed(world, ["run", "gone", "--json"])).json).toMatchObject({ released: 0 });
    await world.portal.restoreContact(id);
    expect((await succeed(world, ["run", "gone", "--json"])).json).toMatchObject({ released: 1 });
    await succeed(world, ["run", "retry"]);
    expect((await statusOf(world)).pushes).toMatchObject({ delivered: 2, held: 0 });
    expect(await outcomes(world, "recreated")).toBe("No attempt matches.\n");
  });

  test("replay --recreate makes it anew, those of its filter only", async () => {
    const world = await told(NEVER);
    await world.portal.removeContact(ANN);
    await world.portal.removeContact(BEN);
    await newResults(world, ANN, BEN);
    const preview = await world.run(["replay", "--recreate", "--json"]);
    expect(preview.json).toMatchObject({ matched: 2, queued: 0, skipped: 0 });
    const { code, json } = await world.run(["replay", "--recreate", "--email", ANN, "--yes", "--json"]);
    expect({ code, json }).toMatchObject({ code: 0, json: { matched: 1, queued: 1, delivered: 1 } });
    expect(Object.keys(await world.portal.contacts())).toEqual([ANN]);
    expect((await statusOf(world)).pushes).toMatchObject({ delivered: 1, held: 1 });
    expect(await newResults(world, ANN)).toMatchObject({ json: { delivered: 1 } });
  });

  test("a look that HubSpot does not answer holds nobody", async () => {
    const world = await told(NEVER);
    await world.portal.fault({ status: 503, path: "/crm/v3/objects/contacts/batch/read", times: 1 });
    const { json } = await newResults(world, ANN);
    expect(json).toMatchObject({ held: 0, pending: 1 });
    await succeed(world, ["run", "retry"]);
    expect((await statusOf(world)).pushes).toMatchObject({ delivered: 2, held: 0 });
  });

  test("changed to always, releases what was held", async () => {
    const world = await told(NEVER);
    await world.portal.removeContact(ANN);
    await newResults(world, ANN);
    const env = { JC_HUBSPOT_RECREATE: "always" };
    expect((await world.run(["run", "gone", "--json"], { env })).json).toMatchObject({ released: 1 });
    expect((await world.run(["run", "retry", "--json"], { env })).json).toMatchObject({ delivered: 1 });
    expect((await world.portal.contacts())[ANN]).toMatchObject(DISC_SCORES);
    expect(await outcomes(world, "recreated")).toContain(ANN);
  });
});
