import { expect, test } from "vitest";
import { connected, importResults, invite, succeed } from "../world.ts";
import { askCandidates, connectedToBoth, inviteOf, writeBacksOf } from "./ats-world.ts";
import { allDelivered, launch, launchService } from "./program.ts";

const RETRY = ["run", "retry", "--json"];
const TOO_MANY = { status: "error", errorType: "RATE_LIMIT", policyName: "TEN_SECONDLY_ROLLING" };

function results(n: number) {
  return Array.from({ length: n }, () => invite());
}

test("run retry goes on by itself after a burst of 429s, once HubSpot's ten seconds are over", async () => {
  const world = await connected();
  await importResults(world, results(500));
  await world.portal.fault({ status: 429, body: TOO_MANY, path: "/crm/v3/objects", times: 5 });
  const startedAt = Date.now();
  const { code, out } = await launch(world, RETRY).ended;
  expect([code, JSON.parse(out)]).toMatchObject([0, { delivered: 500, pending: 0 }]);
  expect(Date.now() - startedAt).toBeGreaterThan(9_000);
});

test("run retry does not wait for a time that the vendor named beyond a minute", async () => {
  const world = await connected();
  await importResults(world, results(3));
  await world.portal.fault({ status: 429, headers: { "retry-after": "90" }, body: TOO_MANY });
  const { code, out } = await launch(world, RETRY).ended;
  expect([code, JSON.parse(out)]).toMatchObject([6, { delivered: 0, pending: 3 }]);
});

test("run retry goes on by itself after SmartRecruiters' 429s, once its second is over", async () => {
  const world = await connectedToBoth();
  const asked = await askCandidates(world, 20);
  await importResults(
    world,
    asked.map((each) => inviteOf(each)),
  );
  await world.smartrecruiters.fault({ status: 429, path: "/v1/assessments", times: 4 });
  const { code, out } = await launch(world, RETRY).ended;
  expect([code, JSON.parse(out)]).toMatchObject([0, { pending: 0 }]);
  expect(await writeBacksOf(world)).toHaveLength(20);
});

test("serve that starts after connect spends the rate window on results alone", async () => {
  const world = await connected();
  const before = (await world.portal.requests()).length;
  await importResults(world, results(3));
  await launchService(world);
  await allDelivered(world);
  const made = (await world.portal.requests()).slice(before);
  expect(made.map(({ path }) => path)).toEqual(["/crm/v3/objects/contacts/batch/upsert"]);
});

test("a limit lower than the tier's that one command was told binds the next from its first call on", async () => {
  const world = await connected({ env: { JC_HUBSPOT_TIER: "paid" } });
  await world.portal.fault({ rateLimit: "12/10s" });
  await succeed(world, ["resync-properties"]);
  await importResults(world, results(1_500));
  const { code, out } = await launch(world, RETRY).ended;
  expect([code, JSON.parse(out)]).toMatchObject([0, { delivered: 1_500 }]);
  const refused = (await world.portal.requests()).filter(({ status }) => status === 429);
  expect(refused).toEqual([]);
});
