import { describe, expect, test } from "vitest";
import { type App, at, connect, defineProperties, emulator, listAt, textAt } from "./client.ts";
import { emulated } from "../emulated.ts";

const CONTACTS = "/crm/v3/objects/contacts";

async function portal() {
  const started = await emulator();
  const app = await connect(started);
  await defineProperties(app);
  return { ...app, admin: emulated(started).hubspot };
}

async function createPeople({ api }: Pick<App, "api">, ...names: string[]) {
  const inputs = names.map((name) => ({ properties: { email: `${name}@example.com`, firstname: name } }));
  return api("POST", `${CONTACTS}/batch/create`, { inputs });
}

describe("reading", () => {
  test("one contact, by id or by address, with the properties that were asked for", async () => {
    const app = await portal();
    const created = await createPeople(app, "ann");
    expect(created.status).toBe(201);
    const id = textAt(created.body, "results", 0, "id");
    const byId = await app.api("GET", `${CONTACTS}/${id}`);
    expect(byId).toMatchObject({
      status: 200,
      body: { id, properties: { firstname: "ann", hs_object_id: id } },
    });
    const byEmail = await app.api(
      "GET",
      `${CONTACTS}/ANN%40example.com?idProperty=email&properties=score,email`,
    );
    expect(byEmail.body).toMatchObject({ id, properties: { score: null, email: "ann@example.com" } });
    expect(await app.api("GET", `${CONTACTS}/999`)).toMatchObject({
      status: 404,
      body: { category: "OBJECT_NOT_FOUND" },
    });
  });

  test("a batch names what it did not find", async () => {
    const app = await portal();
    await createPeople(app, "ann");
    const inputs = [{ id: "ann@example.com" }, { id: "bob@example.com" }];
    const read = await app.api("POST", `${CONTACTS}/batch/read`, {
      idProperty: "email",
      properties: ["email"],
      inputs,
    });
    expect(read).toMatchObject({
      status: 207,
      body: {
        results: [{ properties: { email: "ann@example.com" } }],
        errors: [{ context: { ids: ["bob@example.com"] } }],
      },
    });
  });

  test("the list comes in pages, over gaps, and ends", async () => {
    const app = await portal();
    await createPeople(app, "a", "b", "c", "d", "e");
    const gone = textAt((await app.api("GET", CONTACTS)).body, "results", 1, "id");
    await app.api("DELETE", `${CONTACTS}/${gone}`);
    const found: unknown[] = [];
    let after = "";
    for (let page = 0; page < 2; page++) {
      const { body } = await app.api("GET", `${CONTACTS}?limit=2${after && `&after=${after}`}`);
      found.push(...listAt(body, "results").map((contact) => at(contact, "properties", "email")));
      after = String(at(body, "paging", "next", "after") ?? "");
    }
    expect(found).toEqual(["a", "c", "d", "e"].map((name) => `${name}@example.com`));
    expect(after).toBe("");
    expect((await app.api("GET", `${CONTACTS}?limit=101`)).status).toBe(400);
  });
});

describe("creating and updating", () => {
  test("creating an address that exists is answered 409 with the id", async () => {
    const app = await portal();
    const id = textAt((await createPeople(app, "ann")).body, "results", 0, "id");
    const refused = await app.api("POST", CONTACTS, { properties: { email: "ann@example.com" } });
    expect(refused).toMatchObject({
      status: 409,
      body: { category: "CONFLICT", message: `Contact already exists. Existing ID: ${id}` },
    });
  });

  test("one contact is created and changed, by id or by address", async () => {
    const { api } = await portal();
    const created = await api("POST", CONTACTS, {
      properties: { firstname: "Ann", email: "ann@example.com" },
    });
    expect(created.status).toBe(201);
    const byId = await api("PATCH", `${CONTACTS}/${textAt(created.body, "id")}`, {
      properties: { score: "1" },
    });
    expect(byId).toMatchObject({ status: 200, body: { properties: { score: "1" } } });
    const byEmail = await api("PATCH", `${CONTACTS}/ann@example.com?idProperty=email`, {
      properties: { score: "2" },
    });
    expect(byEmail).toMatchObject({ status: 200, body: { properties: { score: "2" } } });
    expect((await api("PATCH", `${CONTACTS}/999`, { properties: { score: "2" } })).status).toBe(404);
    expect((await api("POST", CONTACTS, { properties: { score: "2" } })).status).toBe(400);
  });

  test("a batch update names the unknown contact when the inputs are traced", async () => {
    const app = await portal();
    await createPeople(app, "ann");
    const inputs = ["ann@example.com", "bob@example.com"].map((id) => ({
      id,
      idProperty: "email",
      properties: { score: "1" },
      objectWriteTraceId: id,
    }));
    const answer = await app.api("POST", `${CONTACTS}/batch/update`, { inputs });
    expect(answer).toMatchObject({
      status: 207,
      body: {
        errors: [{ category: "OBJECT_NOT_FOUND", context: { objectWriteTraceId: ["bob@example.com"] } }],
      },
    });
    expect(at(answer.body, "results", 0, "new")).toBeUndefined();
  });
});

describe("deleting", () => {
  test("frees the address, and is 204 for what is not there", async () => {
    const app = await portal();
    const id = textAt((await createPeople(app, "ann")).body, "results", 0, "id");
    expect((await app.api("DELETE", `${CONTACTS}/${id}`)).status).toBe(204);
    expect((await app.api("DELETE", `${CONTACTS}/${id}`)).status).toBe(204);
    expect((await createPeople(app, "ann")).status).toBe(201);
    const again = textAt(await app.admin.wholeContacts(), 0, "id");
    expect(again).not.toBe(id);
    await app.api("POST", `${CONTACTS}/batch/archive`, { inputs: [{ id: again }] });
    expect(await app.admin.wholeContacts()).toEqual([]);
  });

  test.each(["v3", "2026-03", "2026-09"])("for privacy works by address under %s", async (version) => {
    const app = await portal();
    await createPeople(app, "ann");
    const path = version === "v3" ? CONTACTS : `/crm/objects/${version}/contacts`;
    const person = { objectId: "Ann@example.com", idProperty: "email" };
    expect((await app.api("POST", `${path}/gdpr-delete`, person)).status).toBe(204);
    expect(await app.admin.wholeContacts()).toEqual([]);
  });

  test("for privacy puts an unknown address on a blocklist", async () => {
    const app = await portal();
    const person = { objectId: "bob@example.com", idProperty: "email" };
    expect((await app.api("POST", `${CONTACTS}/gdpr-delete`, person)).status).toBe(204);
    expect((await createPeople(app, "bob")).status).toBe(400);
    expect((await createPeople(app, "ann")).status).toBe(201);
  });
});
