import { describe, expect, test } from "vitest";
import { type Run, succeed } from "../world.ts";
import type { AtsWorld } from "../ats/world.ts";
import { failureOf, reportOf, sandboxWorld, statusesOf } from "./world.ts";

const TRIAL = ["sandbox-test", "hubspot", "--json"];

async function connectedPortal(): Promise<AtsWorld> {
  const world = await sandboxWorld();
  await succeed(world, ["connect", "hubspot", "--sandbox"]);
  return world;
}

async function trial(world: AtsWorld, ...flags: string[]): Promise<Run> {
  return await world.run([...TRIAL, ...flags]);
}

describe("a trial in a HubSpot test portal", () => {
  test("writes one contact, reads back what it sent, and takes the contact away", async () => {
    const world = await connectedPortal();
    const run = await trial(world);
    expect(run.code).toBe(0);
    expect(reportOf(run)).toMatchObject({ vendor: "hubspot", passed: true });
    expect(statusesOf(run)).toEqual({
      connected: "passed",
      properties: "passed",
      sent: "passed",
      "read-back": "passed",
      "clean-up": "passed",
    });
    expect(reportOf(run).steps[3]?.evidence).toBe("17 values as they were sent");
    expect(await world.portal.contacts()).toEqual({});
  });

  test("keeps the contact when it is told to", async () => {
    const world = await connectedPortal();
    expect((await trial(world, "--keep")).code).toBe(0);
    const [contact] = Object.values(await world.portal.contacts());
    expect(contact).toMatchObject({ jc_disc_d: "68", jc_mbti_type: "INFJ", jc_test_status: "completed" });
  });

  test("speaks every version of the API", async () => {
    const world = await connectedPortal();
    for (const version of ["2026-03", "2026-09"]) {
      const run = await world.run(TRIAL, { env: { JC_HUBSPOT_API_VERSION: version } });
      expect({ version, code: run.code, out: run.out }).toMatchObject({ version, code: 0 });
    }
    expect(await world.portal.contacts()).toEqual({});
  });

  test.each(["STANDARD", "APP_DEVELOPER"])(
    "is refused in a %s account before anything is written",
    async (kind) => {
      const world = await connectedPortal();
      await world.portal.settings({ accountType: kind });
      const { code, err } = await world.run(["sandbox-test", "hubspot"]);
      expect(code).toBe(2);
      expect(err).toContain(`is a ${kind} account`);
      expect(err).toContain("Nothing was written");
      expect(await world.portal.upserts()).toEqual([]);
      // In a sandbox it could have been.
      await world.portal.settings({ accountType: "SANDBOX" });
      expect((await trial(world)).code).toBe(0);
      expect(await world.portal.upserts()).toHaveLength(1);
    },
  );
});

describe("it fails where the fault is:", () => {
  test("nobody is connected", async () => {
    const run = await trial(await sandboxWorld());
    expect(run.code).toBe(6);
    expect(failureOf(run)).toMatchObject({
      id: "connected",
      fix: "Run: jc-integrations connect hubspot --org acme --sandbox",
    });
  });

  test("a scope was not granted", async () => {
    const world = await sandboxWorld();
    await world.portal.settings({
      grantedScopes: ["oauth", "crm.objects.contacts.read", "crm.schemas.contacts.read"],
    });
    await world.run(["connect", "hubspot", "--sandbox"]);
    const run = await trial(world);
    expect(run.code).toBe(6);
    expect(failureOf(run)).toMatchObject({
      id: "connected",
      evidence: "not granted: crm.objects.contacts.write, crm.schemas.contacts.write",
    });
  });

  test("a property is missing", async () => {
    const world = await connectedPortal();
    await world.portal.archiveProperty("jc_disc_d");
    const run = await trial(world);
    expect(run.code).toBe(6);
    expect(failureOf(run)).toMatchObject({
      id: "properties",
      cause: "not there: jc_disc_d",
      fix: "Run: jc-integrations resync-properties --org acme --sandbox",
    });
    await succeed(world, ["resync-properties", "--sandbox"]);
    expect((await trial(world)).code).toBe(0);
  });

  test("the contact cannot be written", async () => {
    const world = await connectedPortal();
    await world.portal.fault({ status: 503, path: "/crm/v3/objects/contacts/batch/upsert" });
    const run = await trial(world);
    expect(run.code).toBe(6);
    expect(failureOf(run)).toMatchObject({ id: "sent", cause: "HubSpot answered 503" });
    expect(statusesOf(run)).toMatchObject({ "read-back": "skipped", "clean-up": "passed" });
  });

  test("the portal shows something else than was sent", async () => {
    const world = await connectedPortal();
    const contact = { id: "1", properties: { email: "a@example.com", jc_disc_d: "12" } };
    const fault = { status: 200, body: contact, method: "GET", path: "/crm/v3/objects/contacts/" };
    await world.portal.fault(fault);
    const running = world.start(TRIAL);
    const run = await running.done;
    expect(run.code).toBe(6);
    const failed = failureOf(run);
    expect(failed.id).toBe("read-back");
    expect(failed.cause).toContain("jc_disc_d");
  });

  test("the contact cannot be taken away again", async () => {
    const world = await connectedPortal();
    await world.portal.fault({ status: 503, method: "DELETE", path: "/crm/v3/objects/contacts" });
    const run = await trial(world);
    expect(run.code).toBe(6);
    const failed = failureOf(run);
    expect(failed.id).toBe("clean-up");
    expect(failed.fix).toMatch(/^Remove \S+@example\.com in HubSpot by hand$/);
    expect(Object.keys(await world.portal.contacts())).toHaveLength(1);
  });
});
