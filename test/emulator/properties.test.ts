import { describe, expect, test } from "vitest";
import { type App, at, connect, defineProperties, emulator, listAt, textAt } from "./client.ts";
import { emulated } from "../emulated.ts";
import { fakeClock } from "../fake-clock.ts";

const PROPERTIES = "/crm/v3/properties/contacts";

async function portal() {
  const started = await emulator();
  const app = await connect(started);
  await app.api("POST", `${PROPERTIES}/groups`, { name: "scores", label: "Scores" });
  return { ...app, admin: emulated(started).hubspot };
}

const iq = {
  name: "iq",
  label: "IQ",
  type: "number",
  fieldType: "number",
  groupName: "scores",
};

/** What is wrong with a value for it; null where it was taken. */
async function writeIq(api: App["api"]): Promise<string | null> {
  const inputs = [{ id: "ann@example.com", idProperty: "email", properties: { iq: "120" } }];
  const { status, body } = await api("POST", "/crm/v3/objects/contacts/batch/upsert", { inputs });
  return status === 200 ? null : textAt(body, "message");
}

describe("a property", () => {
  test("is created, read, listed, changed and archived", async () => {
    const { api } = await portal();
    const created = await api("POST", PROPERTIES, iq);
    expect(created).toMatchObject({ status: 201, body: { ...iq, archived: false, hubspotDefined: false } });
    expect(created.headers.get("location")).toBe(`${PROPERTIES}/iq`);
    expect(await api("GET", `${PROPERTIES}/iq`)).toMatchObject({ status: 200, body: iq });
    const listed = listAt((await api("GET", PROPERTIES)).body, "results");
    expect(listed).toContainEqual(expect.objectContaining({ name: "iq" }));
    expect(listed).toContainEqual(expect.objectContaining({ name: "email", hubspotDefined: true }));
    const patched = await api("PATCH", `${PROPERTIES}/iq`, {
      label: "Intelligence",
      hasUniqueValue: true,
      name: "x",
    });
    expect(patched).toMatchObject({
      status: 200,
      body: { ...iq, label: "Intelligence", hasUniqueValue: false },
    });
    expect((await api("DELETE", `${PROPERTIES}/iq`)).status).toBe(204);
    expect((await api("GET", `${PROPERTIES}/iq`)).status).toBe(404);
  });

  test("that is sensitive stands in no list, is read by its name, and takes no values", async () => {
    const { api, admin } = await portal();
    await api("POST", PROPERTIES, iq);
    await admin.changeProperty("iq", { dataSensitivity: "sensitive" });
    const names = listAt((await api("GET", PROPERTIES)).body, "results").map((each) => at(each, "name"));
    expect(names).not.toContain("iq");
    expect(await api("GET", `${PROPERTIES}/iq`)).toMatchObject({
      status: 200,
      body: { dataSensitivity: "sensitive" },
    });
    expect((await api("POST", PROPERTIES, iq)).status).toBe(409);
    expect(await writeIq(api)).toContain("PROPERTY_DOESNT_EXIST");
    await admin.changeProperty("iq", { dataSensitivity: "non_sensitive" });
    expect(await writeIq(api)).toBeNull();
  });

  test.each([
    [{ readOnlyValue: true }, { readOnlyValue: false }, "READ_ONLY_VALUE"],
    [{ isWritable: false }, { isWritable: true }, "PROPERTY_DOESNT_EXIST"],
  ])("that a person made %o refuses values until %o", async (change, mended, code) => {
    const { api, admin } = await portal();
    await api("POST", PROPERTIES, iq);
    await admin.changeProperty("iq", change);
    expect(await writeIq(api)).toContain(code);
    await admin.changeProperty("iq", mended);
    expect(await writeIq(api)).toBeNull();
  });

  test("is known to contacts only after a while, where that is set", async () => {
    const clock = fakeClock();
    const started = await emulator({ clock });
    const { api } = await connect(started);
    await emulated(started).hubspot.settings({ propertyLagMs: 5_000 });
    await api("POST", `${PROPERTIES}/groups`, { name: "scores", label: "Scores" });
    await api("POST", PROPERTIES, iq);
    expect((await api("GET", `${PROPERTIES}/iq`)).status).toBe(200);
    expect(await writeIq(api)).toContain("PROPERTY_DOESNT_EXIST");
    await clock.advance(5_000);
    expect(await writeIq(api)).toBeNull();
  });

  test("that exists is answered 409 and stays as it is", async () => {
    const { api } = await portal();
    await api("POST", PROPERTIES, iq);
    expect(await api("POST", PROPERTIES, { ...iq, label: "Other" })).toMatchObject({
      status: 409,
      body: { category: "OBJECT_ALREADY_EXISTS", subCategory: "Properties.PROPERTY_WITH_NAME_EXISTS" },
    });
    expect(await api("GET", `${PROPERTIES}/iq`)).toMatchObject({ body: { label: "IQ" } });
  });

  test("that is unknown or archived is answered 404, unless archived ones are asked for", async () => {
    const { api } = await portal();
    expect(await api("GET", `${PROPERTIES}/iq`)).toMatchObject({
      status: 404,
      body: { category: "OBJECT_NOT_FOUND" },
    });
    await api("POST", PROPERTIES, iq);
    await api("DELETE", `${PROPERTIES}/iq`);
    expect((await api("GET", `${PROPERTIES}/iq`)).status).toBe(404);
    expect((await api("GET", `${PROPERTIES}/iq?archived=true`)).status).toBe(200);
    expect(listAt((await api("GET", `${PROPERTIES}?archived=true`)).body, "results")).toHaveLength(1);
  });

  test("whose name was archived comes back with its old date, the new definition and no values", async () => {
    const { api } = await portal();
    const first = await api("POST", PROPERTIES, iq);
    const upsert = { inputs: [{ id: "ann@example.com", idProperty: "email", properties: { iq: "120" } }] };
    await api("POST", "/crm/v3/objects/contacts/batch/upsert", upsert);
    await api("DELETE", `${PROPERTIES}/iq`);
    const again = await api("POST", PROPERTIES, { ...iq, label: "New" });
    expect(again).toMatchObject({ status: 201, body: { label: "New", archived: false } });
    expect(textAt(again.body, "createdAt")).toBe(textAt(first.body, "createdAt"));
    const read = await api("GET", "/crm/v3/objects/contacts/ann@example.com?idProperty=email&properties=iq");
    expect(at(read.body, "properties", "iq")).toBeNull();
  });

  const option = { label: "A", value: "a", displayOrder: 0, hidden: false };
  test.each([
    ["without a label", { label: "" }],
    ["without a type", { type: undefined }],
    ["with capitals in its name", { name: "Iq" }],
    ["whose name starts with a digit", { name: "1q" }],
    ["with a name over 100 characters", { name: "a".repeat(101) }],
    ["of an unknown type", { type: "url" }],
    ["whose field type does not fit", { fieldType: "text" }],
    ["in an unknown group", { groupName: "nowhere" }],
    ["an enumeration without options", { type: "enumeration", fieldType: "select" }],
    [
      "an enumeration with an option twice",
      { type: "enumeration", fieldType: "select", options: [option, option] },
    ],
    ["a bool without its two options", { type: "bool", fieldType: "booleancheckbox", options: [option] }],
  ])("%s is answered 400", async (_case, wrong) => {
    const { api } = await portal();
    const refused = await api("POST", PROPERTIES, { ...iq, ...wrong });
    expect(refused).toMatchObject({ status: 400, body: { category: "VALIDATION_ERROR" } });
  });

  test("in a dated version needs a display order for each option", async () => {
    const { api } = await portal();
    const { displayOrder, ...bare } = option;
    const choice = { ...iq, name: "choice", type: "enumeration", fieldType: "select" };
    const path = "/crm/properties/2026-03/contacts";
    expect((await api("POST", path, { ...choice, options: [bare] })).status).toBe(400);
    expect((await api("POST", path, { ...choice, options: [{ ...bare, displayOrder }] })).status).toBe(201);
    expect((await api("POST", PROPERTIES, { ...choice, name: "choice2", options: [bare] })).status).toBe(201);
  });

  test("of HubSpot's own cannot be archived or changed", async () => {
    const { api } = await portal();
    expect((await api("DELETE", `${PROPERTIES}/email`)).status).toBe(400);
    expect((await api("PATCH", `${PROPERTIES}/email`, { label: "x" })).status).toBe(400);
  });

  test.each(["2026-03", "2026-09"])("is the same one under %s", async (version) => {
    const { api } = await portal();
    await api("POST", PROPERTIES, iq);
    for (const type of ["contacts", "0-1"])
      expect(await api("GET", `/crm/properties/${version}/${type}/iq`)).toMatchObject({
        status: 200,
        body: iq,
      });
    expect((await api("GET", `/crm/${version}/properties/contacts/iq`)).status).toBe(404);
  });
});

describe("batches of properties", () => {
  const inputs = [iq, { ...iq, name: "Bad" }];

  test.each([
    ["/crm/v3/properties/contacts", 207],
    ["/crm/properties/2026-09/contacts", 200],
  ])("%s creates the good ones and names the others with %i", async (path, status) => {
    const { api } = await portal();
    const answer = await api("POST", `${path}/batch/create`, { inputs });
    expect(answer).toMatchObject({ status, body: { results: [{ name: "iq" }], numErrors: 1 } });
    expect(at(answer.body, "errors", 0, "category")).toBe("VALIDATION_ERROR");
  });

  test("are read with the unknown ones named, and archived whatever their state", async () => {
    const { api } = await portal();
    await api("POST", `${PROPERTIES}/batch/create`, { inputs: [iq] });
    const names = { archived: false, inputs: [{ name: "iq" }, { name: "nope" }] };
    const read = await api("POST", `${PROPERTIES}/batch/read`, names);
    expect(read).toMatchObject({ status: 207, body: { results: [{ name: "iq" }], numErrors: 1 } });
    expect((await api("POST", `${PROPERTIES}/batch/archive`, names)).status).toBe(204);
    expect((await api("POST", `${PROPERTIES}/batch/archive`, names)).status).toBe(204);
    expect((await api("GET", `${PROPERTIES}/iq`)).status).toBe(404);
  });
});

describe("a property group", () => {
  test("is created once, listed, renamed and archived when it is empty", async () => {
    const { api } = await portal();
    const groups = `${PROPERTIES}/groups`;
    expect((await api("POST", groups, { name: "other", label: "Other" })).status).toBe(201);
    expect((await api("POST", groups, { name: "other", label: "Other" })).status).toBe(409);
    expect((await api("POST", groups, { name: "No!", label: "Other" })).status).toBe(400);
    expect(await api("PATCH", `${groups}/other`, { label: "Renamed" })).toMatchObject({
      body: { label: "Renamed" },
    });
    expect(at((await api("GET", groups)).body, "results")).toContainEqual(
      expect.objectContaining({ name: "other", label: "Renamed" }),
    );
    expect((await api("DELETE", `${groups}/other`)).status).toBe(204);
    expect((await api("GET", `${groups}/other`)).status).toBe(404);
    expect((await api("POST", groups, { name: "other", label: "Back" })).status).toBe(201);
  });

  test("with active properties is not archived, and the reason is JSON inside the message", async () => {
    const { api } = await portal();
    await api("POST", PROPERTIES, iq);
    const refused = await api("DELETE", `${PROPERTIES}/groups/scores`);
    expect(refused.status).toBe(400);
    expect(JSON.parse(textAt(refused.body, "message"))).toMatchObject({
      category: "VALIDATION_ERROR",
      subCategory: "PropertyGroupError.GROUP_WITH_ACTIVE_PROPERTIES",
    });
    expect((await api("GET", `${PROPERTIES}/groups/scores`)).status).toBe(200);
  });
});

describe("the quota", () => {
  const LIMITS = "/crm/v3/limits/custom-properties";

  test.each([LIMITS, "/crm/limits/2026-09/custom-properties"])("is told by %s", async (path) => {
    const app = await portal();
    await defineProperties(app);
    expect(await app.api("GET", path)).toMatchObject({
      status: 200,
      body: { overallUsage: 7, byObjectType: [{ objectTypeId: "0-1", limit: 1000, usage: 7 }] },
    });
  });

  test("stops creation when it is used up, and archiving makes room", async () => {
    const { api, admin } = await portal();
    await admin.settings({ propertyQuota: 1 });
    expect((await api("POST", PROPERTIES, iq)).status).toBe(201);
    const refused = await api("POST", PROPERTIES, { ...iq, name: "eq" });
    expect(refused).toMatchObject({ status: 400, body: { category: "VALIDATION_ERROR" } });
    await api("DELETE", `${PROPERTIES}/iq`);
    expect((await api("POST", PROPERTIES, { ...iq, name: "eq" })).status).toBe(201);
  });

  test("allows ten unique properties", async () => {
    const { api } = await portal();
    const unique = (index: number) => ({ ...iq, name: `key_${index}`, hasUniqueValue: true });
    for (let index = 0; index < 10; index++)
      expect((await api("POST", PROPERTIES, unique(index))).status).toBe(201);
    expect((await api("POST", PROPERTIES, unique(10))).status).toBe(400);
  });
});

describe("scopes", () => {
  async function granted(scope: string): Promise<App> {
    return connect(await emulator(), { scope });
  }

  test("writing definitions needs the schema scope, and the answer names it", async () => {
    const { api } = await granted("oauth crm.schemas.contacts.read");
    const refused = await api("POST", PROPERTIES, iq);
    expect(refused).toMatchObject({ status: 403, body: { category: "MISSING_SCOPES" } });
    expect(at(refused.body, "errors", 0, "context", "requiredGranularScopes")).toEqual([
      "crm.schemas.contacts.write",
    ]);
  });

  test("reading definitions needs any contacts scope", async () => {
    for (const scope of ["crm.objects.contacts.read", "crm.schemas.contacts.read"])
      expect((await (await granted(scope)).api("GET", PROPERTIES)).status).toBe(200);
    expect((await (await granted("oauth")).api("GET", PROPERTIES)).status).toBe(403);
  });

  test("schema scopes alone do not show the limits", async () => {
    const { api } = await granted("crm.schemas.contacts.write");
    expect((await api("GET", "/crm/v3/limits/custom-properties")).status).toBe(403);
  });

  test("an admin may take a scope back after the consent, and give it again", async () => {
    const { api, admin } = await portal();
    await admin.settings({ grantedScopes: ["oauth"] });
    expect((await api("POST", PROPERTIES, iq)).status).toBe(403);
    await admin.settings({ grantedScopes: null });
    expect((await api("POST", PROPERTIES, iq)).status).toBe(201);
  });
});
