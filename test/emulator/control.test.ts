import { describe, expect, test } from "vitest";
import { startEmulator } from "../../src/emulator/emulator.ts";
import { fakeClock } from "../fake-clock.ts";
import { ask, at, connect, control, defineProperties, emulator, listAt } from "./client.ts";
import { emulated } from "../emulated.ts";

async function portal() {
  const started = await emulator({ clock: fakeClock() });
  const app = await connect(started);
  await defineProperties(app);
  return { ...app, started, control: control(started) };
}

const ann = { id: "ann@example.com", idProperty: "email", properties: { score: "68" } };

describe("requests", () => {
  test("are logged in order, without the vendor and the query", async () => {
    const started = await emulator({ clock: fakeClock() });
    const { api } = await connect(started);
    await api("GET", "/crm/v3/properties/contacts?archived=true");
    expect((await control(started)("GET", "/hubspot/requests")).body).toEqual([
      { method: "GET", path: "/oauth/authorize", status: 302, at: "2026-11-22T12:00:00.000Z" },
      { method: "POST", path: "/oauth/v3/token", status: 200, at: "2026-11-22T12:00:00.000Z" },
      { method: "GET", path: "/crm/v3/properties/contacts", status: 200, at: "2026-11-22T12:00:00.000Z" },
    ]);
    expect((await control(started)("GET", "/telegram/requests")).body).toEqual([]);
  });
});

describe("a person in the portal", () => {
  test("sees the custom properties and archives one; its values vanish from the contacts", async () => {
    const { api, control } = await portal();
    await api("POST", "/crm/v3/objects/contacts/batch/upsert", { inputs: [ann] });
    const names = listAt((await control("GET", "/hubspot/properties")).body).map((property) =>
      at(property, "name"),
    );
    expect(names).toContain("score");
    expect(names).not.toContain("email");
    expect((await control("DELETE", "/hubspot/properties/score")).status).toBe(204);
    expect((await api("GET", "/crm/v3/properties/contacts/score")).status).toBe(404);
    expect(at((await control("GET", "/hubspot/contacts")).body, 0, "properties")).toEqual({
      email: "ann@example.com",
    });
    expect((await control("DELETE", "/hubspot/properties/score")).status).toBe(404);
  });

  test("archives a group with everything in it", async () => {
    const { api, control } = await portal();
    expect((await control("DELETE", "/hubspot/groups/scores")).status).toBe(204);
    expect((await control("GET", "/hubspot/properties")).body).toEqual([]);
    expect((await api("GET", "/crm/v3/properties/contacts/groups/scores")).status).toBe(404);
    expect((await control("DELETE", "/hubspot/groups/scores")).status).toBe(404);
  });
});

describe("a contact with several addresses", () => {
  const bodies = (...ids: string[]) => ({
    inputs: ids.map((id) => ({ ...ann, id, objectWriteTraceId: id, properties: { score: "7" } })),
  });

  async function several() {
    const { api, started } = await portal();
    const upsert = async (...ids: string[]) => {
      const answer = await api("POST", "/crm/v3/objects/contacts/batch/upsert", bodies(...ids));
      return { ...answer, first: at(answer.body, "results", 0) };
    };
    return { api, upsert, hubspot: emulated(started).hubspot };
  }

  test("is met by each of them, answers with its id and primary address, and is refused twice in one call", async () => {
    const { api, upsert, hubspot } = await several();
    const id = await hubspot.makeContact("Ann@private.example", "ann@work.example");
    for (const address of ["ann@work.example", "ann@private.example"])
      expect((await upsert(address)).first).toMatchObject({
        ...{ id, new: false },
        properties: { email: "ann@private.example" },
      });
    expect((await upsert("ann@work.example", "ann@private.example")).status).toBe(409);
    expect(await hubspot.wholeContacts()).toHaveLength(1);
    const path = `/crm/v3/objects/contacts/${id}?properties=email,hs_additional_emails`;
    expect((await api("GET", path)).body).toMatchObject({
      properties: { email: "ann@private.example", hs_additional_emails: "ann@work.example" },
    });
  });

  test("comes from a merge under a new id, or the primary's, and ends with an un-merge", async () => {
    for (const keepsId of [false, true]) {
      const { upsert, hubspot } = await several();
      const primary = await hubspot.makeContact("ann@private.example");
      const merged = await hubspot.makeContact("ann@work.example");
      const id = await hubspot.mergeContacts(primary, merged, { keepsId });
      expect(id === primary).toBe(keepsId);
      expect((await upsert("ann@work.example")).first).toMatchObject({ id });
      const own = await hubspot.unmergeContact(id, "ann@work.example");
      expect((await upsert("ann@work.example")).first).toMatchObject({ id: own });
      expect((await upsert("ann@private.example")).first).toMatchObject({ id });
      expect((await hubspot.wholeContacts()).map(({ email }) => email).toSorted()).toEqual([
        "ann@private.example",
        "ann@work.example",
      ]);
    }
  });

  test("is told apart from what cannot be", async () => {
    const { hubspot } = await several();
    const id = await hubspot.makeContact("ann@private.example");
    await expect(hubspot.makeContact("bob@x.example", "ann@private.example")).rejects.toThrow("409");
    await expect(hubspot.mergeContacts(id, id)).rejects.toThrow("400");
    await expect(hubspot.unmergeContact(id, "ann@private.example")).rejects.toThrow("400");
  });
});

describe("settings", () => {
  test("decide what the account reports", async () => {
    const { api, control } = await portal();
    await control("POST", "/hubspot/settings", { accountType: "STANDARD", dataHostingLocation: "na1" });
    expect((await api("GET", "/account-info/2026-09/details")).body).toMatchObject({
      portalId: 8480001,
      accountType: "STANDARD",
      dataHostingLocation: "na1",
      uiDomain: "app.hubspot.com",
      timeZone: "UTC",
    });
  });

  test("let several portals live side by side, each with its own contacts, properties and profile", async () => {
    const { started, api, control } = await portal();
    const upsert = { inputs: [{ ...ann, properties: {} }] };
    await api("POST", "/crm/v3/objects/contacts/batch/upsert", upsert);
    await control("POST", "/hubspot/settings", { portalId: 2, accountType: "STANDARD" });
    const second = await connect(started);
    await second.api("POST", "/crm/v3/objects/contacts/batch/upsert", upsert);
    expect((await control("GET", "/hubspot/contacts")).body).toMatchObject([
      { portalId: 8480001, email: ann.id },
      { portalId: 2, email: ann.id },
    ]);
    expect((await control("GET", "/hubspot/properties")).body).toEqual([]);
    expect((await control("GET", "/hubspot/properties?portalId=8480001")).body).toHaveLength(7);
    expect((await control("GET", "/hubspot/properties?portalId=3")).status).toBe(400);
    const reported = [
      await api("GET", "/account-info/v3/details"),
      await second.api("GET", "/account-info/v3/details"),
    ];
    expect(reported.map(({ body }) => at(body, "accountType"))).toEqual(["DEVELOPER_TEST", "STANDARD"]);
  });

  test("are shown, and go back to where a portal left them", async () => {
    const { control } = await portal();
    await control("POST", "/hubspot/settings", { portalId: 2, propertyQuota: 10 });
    expect((await control("GET", "/hubspot/settings")).body).toMatchObject({
      portalId: 2,
      propertyQuota: 10,
    });
    const back = await control("POST", "/hubspot/settings", { portalId: 8480001 });
    expect(back.body).toMatchObject({ portalId: 8480001, propertyQuota: null });
  });

  test("shorten the life of access tokens", async () => {
    const { started, control } = await portal();
    await control("POST", "/hubspot/settings", { accessTokenSeconds: 0 });
    const { api } = await connect(started);
    expect((await api("GET", "/account-info/v3/details")).status).toBe(401);
  });

  test.each([
    [{ portalId: "2" }, '"portalId" must be a whole number'],
    [{ grantedScopes: "oauth" }, '"grantedScopes" must be a list of texts, or null'],
    [{ oneUseTokens: 1 }, '"oneUseTokens" must be true or false'],
    [{ quota: 1 }, 'unknown setting "quota"'],
    [[], "settings are a JSON object"],
  ])("refuse %j and change nothing", async (input, words) => {
    const { control } = await portal();
    const before = (await control("GET", "/hubspot/settings")).body;
    const refused = await control(
      "POST",
      "/hubspot/settings",
      Array.isArray(input) ? input : { accountType: "X", ...input },
    );
    expect(refused.status).toBe(400);
    expect(at(refused.body, "message")).toContain(words);
    expect((await control("GET", "/hubspot/settings")).body).toEqual(before);
  });
});

describe("reset", () => {
  test("brings back an empty world in which old tokens are unknown", async () => {
    const { api, control } = await portal();
    await api("POST", "/crm/v3/objects/contacts/batch/upsert", { inputs: [ann] });
    await control("POST", "/hubspot/settings", { portalId: 2 });
    await control("POST", "/hubspot/faults", { status: 500 });
    expect((await control("POST", "/reset")).status).toBe(204);
    expect((await control("GET", "/hubspot/contacts")).body).toEqual([]);
    expect((await control("GET", "/hubspot/requests")).body).toEqual([]);
    expect((await control("GET", "/hubspot/faults")).body).toEqual([]);
    expect((await control("GET", "/hubspot/settings")).body).toMatchObject({ portalId: 8480001 });
    expect((await api("GET", "/account-info/v3/details")).status).toBe(401);
  });
});

describe("the server", () => {
  test("says at its root what is where", async () => {
    const { url } = await emulator();
    expect((await ask(`${url}/`)).body).toMatchObject({
      vendors: expect.arrayContaining(["/hubspot", "/smartrecruiters", "/telegram"]),
    });
  });

  test("lists the control calls to someone who mistyped one", async () => {
    const started = await emulator();
    const lost = await control(started)("GET", "/hubspot/contact");
    expect(lost.status).toBe(404);
    expect(at(lost.body, "known")).toContain("GET /_control/hubspot/contacts");
    expect(at(lost.body, "known")).toContain("POST /_control/telegram/faults");
  });

  test("answers 404 outside its vendors, and a vendor does for what it does not serve", async () => {
    const { url, hubspot } = await emulator();
    expect((await ask(`${url}/salesforce/x`)).status).toBe(404);
    expect((await ask(`${hubspot}/crm/v3/objects/deals`)).status).toBe(404);
    expect((await ask(`${hubspot}/crm/v1/objects/contacts`)).status).toBe(404);
  });

  test("answers 413 to a body beyond all measure", async () => {
    const { hubspot } = await emulator();
    const body = new Uint8Array(33 * 1024 * 1024);
    expect((await ask(`${hubspot}/oauth/v3/token`, { method: "POST", body })).status).toBe(413);
  });

  test("refuses a port that is taken with words for the operator", async () => {
    const { port } = await emulator();
    await expect(startEmulator({ port })).rejects.toMatchObject({
      code: "USAGE",
      hint: expect.stringContaining("--port"),
    });
  });

  test("closes at once, also while an answer is being delayed", async () => {
    const started = await startEmulator({ clock: fakeClock(), autoApprove: true });
    const { api } = await connect(started);
    await emulated(started).hubspot.fault({ delayMs: 3_600_000 });
    const cut = expect(api("GET", "/account-info/v3/details")).rejects.toThrow("fetch failed");
    await expect
      .poll(async () => listAt((await control(started)("GET", "/hubspot/requests")).body).length)
      .toBe(3);
    await started.close();
    await cut;
  });
});
