/** Each thing that can be wrong with HubSpot is broken here, found, and mended by what doctor prints. */
import { describe, expect, test } from "vitest";
import { callApi, SCOPES } from "../connect/world.ts";
import { answer, linkFor, publicWorld } from "../connect/linked.ts";
import { serving } from "../daemon/serving.ts";
import { fakeClock } from "../fake-clock.ts";
import { CLIENT_SECRET, connected, importResults, invite, prepared, succeed } from "../world.ts";
import { examined, expectMended, expectTold, found, typed } from "./found.ts";

describe("HubSpot", () => {
  test("that is not connected is a warning, and a fault for who asks about it alone", async () => {
    const world = await prepared();
    expect(await found(world, "hubspot.connection")).toMatchObject({ level: "warning", exit: 0, code: 0 });
    await expectMended(world, { id: "hubspot.connection", exit: 4, argv: ["hubspot"] });
  });

  test("with a login, an app or a secret that is no good", async () => {
    const world = await connected();
    await succeed(world, ["secrets", "remove", "hubspot.client-secret", "--yes"]);
    await expectMended(world, { id: "hubspot.app", exit: 2, stdin: CLIENT_SECRET });
    await succeed(world, ["secrets", "set", "hubspot.client-secret"], "wrong");
    const refused = await expectMended(world, { id: "hubspot.credentials", exit: 2, stdin: CLIENT_SECRET });
    expect(refused.what).toContain("does not know this client id and secret");
    await succeed(world, ["secrets", "set", "hubspot.client-secret", "--org", "acme"], "wrong");
    const own = await expectMended(world, { id: "hubspot.credentials", exit: 2, stdin: CLIENT_SECRET });
    expect(own.command).toBe("jc-integrations secrets set hubspot.client-secret --org acme");

    await world.portal.fault({ revoked: true });
    const login = await expectMended(world, { id: "hubspot.credentials", exit: 4 });
    expect(login.what).toContain("no longer accepts our tokens");

    await world.portal.fault({ status: 503 });
    await expectTold(world, {
      id: "hubspot.credentials",
      exit: 6,
      who: /Try again in a few minutes/,
      done: () => world.portal.clearFaults(),
    });
    const withoutId = { env: { JC_HUBSPOT_CLIENT_ID: "" } };
    expect(await found(world, "hubspot.app", [], withoutId)).toBeUndefined();
  });

  test("whose login was lost before doctor came is not asked, and must reconnect", async () => {
    const world = await connected();
    await world.portal.fault({ revoked: true });
    await world.run(["resync-properties"]);
    await expectMended(world, { id: "hubspot.connection", exit: 4 });
  });

  test("that grants less than it was asked for", async () => {
    const world = await prepared();
    await world.portal.settings({
      grantedScopes: SCOPES.filter((scope) => scope !== "crm.objects.contacts.write"),
    });
    expect((await world.run(["connect", "hubspot"])).code).toBe(7);
    await world.portal.settings({ grantedScopes: null });
    const { what } = await expectMended(world, { id: "hubspot.scopes", exit: 7 });
    expect(what).toContain("crm.objects.contacts.write");
  });

  test("whose properties are missing, have no room, cannot take our values, or are others", async () => {
    const world = await connected();
    const { portal } = world;
    await portal.archiveGroup();
    const missing = await expectMended(world, { id: "hubspot.properties", exit: 7 });
    expect(missing.what).toMatch(/^HubSpot lacks jc_disc_d, .* and 15 more$/);

    await portal.archiveProperty("jc_disc_d");
    await portal.settings({ propertyQuota: 0 });
    expect(await found(world, "hubspot.properties.quota")).toMatchObject({ exit: 7, who: /An admin there/ });
    await portal.settings({ propertyQuota: null });
    await world.run(["resync-properties"]);

    await portal.changeProperty("jc_disc_i", { readOnlyValue: true });
    expect(await found(world, "hubspot.properties.unfit")).toMatchObject({
      exit: 7,
      what: expect.stringContaining("jc_disc_i"),
      who: expect.stringContaining("An admin of HubSpot, before"),
    });
    await portal.changeProperty("jc_disc_i", { readOnlyValue: false });
    expect(await found(world, "hubspot.properties.unfit")).toBeUndefined();

    const path = "/crm/v3/properties/contacts/jc_mbti_type";
    await callApi(world, "PATCH", path, { groupName: "contactinformation" });
    await expectTold(world, {
      id: "hubspot.drift",
      exit: 0,
      who: /An admin of HubSpot: Settings/,
      done: () => callApi(world, "PATCH", path, { groupName: "jobcannon_assessments" }),
    });
  });

  test("that does not know our redirect URI", async () => {
    const world = await prepared();
    await world.portal.settings({ redirectUris: ["https://elsewhere.example/"] });
    const told = await expectTold(world, {
      id: "hubspot.redirect-uri",
      exit: 2,
      who: /Whoever looks after the app in HubSpot: Register exactly this one with the app: http/,
      done: () => world.portal.settings({ redirectUris: null }),
    });
    expect(told.what).toContain("/hubspot/oauth-callback");
    // To ask for the page is no consent: nobody was connected by it.
    expect(await found(world, "hubspot.connection")).toBeDefined();
  });

  test("whose account came by a link and waits for an operator", async () => {
    const world = await publicWorld();
    await serving(world);
    const link = await linkFor(world);
    expect(await found(world, "hubspot.connection")).toMatchObject({
      level: "warning",
      command: null,
      who: expect.stringMatching(/^The admin of the account: open the link before 20/),
    });
    await answer(link);
    await expectMended(world, { id: "hubspot.connection", exit: 7 });
  });

  test("in whose API version nobody mends anything soon", async () => {
    const clock = fakeClock(Date.UTC(2027, 6, 1));
    const world = await connected({ clock });
    const told = await expectTold(world, {
      id: "hubspot.api-version",
      exit: 0,
      who: /^Whoever may write the configuration: Set hubspot\.api_version = "2026-09"/,
      done: () => Object.assign(world.env, { JC_HUBSPOT_API_VERSION: "2026-09" }),
    });
    expect(told.what).toBe("HubSpot's API v3 is supported until 2027-09-01, for 62 more days");
  });

  test("whose data rest elsewhere than they shall", async () => {
    const world = await connected();
    const env = { JC_STORE_REGION: "us" };
    const before = await found(world, "hubspot.residency", [], { env });
    expect(before).toMatchObject({ exit: 2, who: expect.stringContaining("is it meant?") });
    expect((await typed(world, before?.command ?? null, { env })).code).toBe(0);
    expect(await found(world, "hubspot.residency", [], { env })).toBeUndefined();
  });
});

describe("doctor --fix", () => {
  test("creates what is missing, sends again, says so, and finds it mended", async () => {
    const world = await connected();
    await importResults(world, [invite()]);
    await succeed(world, ["run", "retry"]);
    await world.portal.archiveProperty("jc_disc_d");
    const { code, fixed, findings } = await examined(world, ["--fix"]);
    expect(fixed).toEqual([
      {
        id: "hubspot.properties",
        did: "created in HubSpot: jc_disc_d; 1 contact will be sent again",
        problem: null,
      },
    ]);
    expect([code, findings.filter(({ level }) => level === "error")]).toEqual([0, []]);
    expect((await examined(world, ["--fix"])).fixed).toEqual([]);
  });

  test("says what it could not do", async () => {
    const world = await connected();
    await world.portal.archiveProperty("jc_disc_d");
    await world.portal.fault({ status: 403, method: "POST", path: "/crm/v3/properties/contacts" });
    const { code, fixed } = await examined(world, ["--fix"]);
    expect(fixed).toEqual([{ id: "hubspot.properties", did: null, problem: expect.stringContaining("403") }]);
    expect(code).toBe(7);
  });
});
