/**
 * HubSpot's own client against the emulator: what its typed models read and its error handling meets is what the
 * product relies on. The client speaks `/oauth/v1` and `/crm/v3`.
 */
import { Client } from "@hubspot/api-client";
import {
  PropertyCreateFieldTypeEnum,
  PropertyCreateTypeEnum,
} from "@hubspot/api-client/lib/codegen/crm/properties/index.js";
import { describe, expect, test } from "vitest";
import { consent, emulator, hiddenDetails, REDIRECT_URI, SCOPES, textAt } from "./client.ts";
import { emulated } from "../emulated.ts";

async function portal() {
  const started = await emulator();
  const client = new Client({ basePath: started.hubspot });
  const code = (await consent(started)).searchParams.get("code") ?? "";
  const tokens = await client.oauth.tokensApi.create(
    "authorization_code",
    code,
    REDIRECT_URI,
    "app",
    "secret",
  );
  client.setAccessToken(tokens.accessToken);
  return { started, client, tokens, admin: emulated(started).hubspot };
}

const score = {
  name: "score",
  label: "Score",
  type: PropertyCreateTypeEnum.Number,
  fieldType: PropertyCreateFieldTypeEnum.Number,
  groupName: "scores",
};

async function portalWithScore() {
  const world = await portal();
  await world.client.crm.properties.groupsApi.create("contacts", { name: "scores", label: "Scores" });
  await world.client.crm.properties.coreApi.create("contacts", score);
  return world;
}

function input(id: string, properties: Record<string, string>, objectWriteTraceId?: string) {
  return { id, idProperty: "email", properties, ...(objectWriteTraceId && { objectWriteTraceId }) };
}

describe("OAuth", () => {
  test("the client builds an authorize URL that the emulator answers", async () => {
    const { started, client } = await portal();
    const url = client.oauth.getAuthorizationUrl("app", REDIRECT_URI, SCOPES.join(" "), undefined, "s1");
    const local = url.replace("https://app.hubspot.com", started.hubspot);
    const { headers } = await fetch(local, { redirect: "manual" });
    expect(new URL(headers.get("location") ?? "").searchParams.get("state")).toBe("s1");
  });

  test("it gets tokens by code, refreshes them and describes them", async () => {
    const { client, tokens } = await portal();
    expect(tokens).toMatchObject({ expiresIn: 1800, tokenType: "bearer" });
    const { tokensApi, accessTokensApi, refreshTokensApi } = client.oauth;
    const renewed = await tokensApi.create(
      "refresh_token",
      undefined,
      undefined,
      "app",
      "secret",
      tokens.refreshToken,
    );
    expect(renewed.refreshToken).toBe(tokens.refreshToken);
    const access = await accessTokensApi.get(renewed.accessToken);
    expect(access).toMatchObject({ hubId: 8480001, scopes: SCOPES });
    expect(access.expiresIn).toBeGreaterThan(1_790);
    expect(await refreshTokensApi.get(tokens.refreshToken)).toMatchObject({ clientId: "app" });
    await refreshTokensApi.archive(tokens.refreshToken);
    const dead = tokensApi.create(
      "refresh_token",
      undefined,
      undefined,
      "app",
      "secret",
      tokens.refreshToken,
    );
    await expect(dead).rejects.toMatchObject({ code: 400 });
  });

  test("it meets 401 after a revocation and 403 without the scope", async () => {
    const { client, admin } = await portal();
    await admin.fault({ revoked: true });
    await expect(client.crm.contacts.basicApi.getPage()).rejects.toMatchObject({
      code: 401,
      body: { category: "INVALID_AUTHENTICATION" },
    });
    await admin.fault({ revoked: false });
    await admin.settings({ grantedScopes: ["oauth"] });
    await expect(client.crm.contacts.basicApi.getPage()).rejects.toMatchObject({
      code: 403,
      body: { category: "MISSING_SCOPES" },
    });
  });
});

describe("properties", () => {
  test("it creates a group and a property and reads them back with dates", async () => {
    const { client } = await portalWithScore();
    const property = await client.crm.properties.coreApi.getByName("contacts", "score");
    expect(property).toMatchObject({ ...score, archived: false, hubspotDefined: false });
    expect(property.createdAt).toBeInstanceOf(Date);
    const groups = await client.crm.properties.groupsApi.getAll("contacts");
    expect(groups.results).toContainEqual(expect.objectContaining({ name: "scores", label: "Scores" }));
  });

  test("it meets 409 for a property that exists, and 404 for one that does not", async () => {
    const { client } = await portalWithScore();
    const { coreApi } = client.crm.properties;
    await expect(coreApi.create("contacts", score)).rejects.toMatchObject({
      code: 409,
      body: { category: "OBJECT_ALREADY_EXISTS", subCategory: "Properties.PROPERTY_WITH_NAME_EXISTS" },
    });
    await expect(coreApi.getByName("contacts", "nope")).rejects.toMatchObject({
      code: 404,
      body: { category: "OBJECT_NOT_FOUND" },
    });
  });

  test("an archived property comes back when it is created again", async () => {
    const { client } = await portalWithScore();
    const { coreApi } = client.crm.properties;
    await coreApi.archive("contacts", "score");
    expect((await coreApi.getAll("contacts", true)).results).toHaveLength(1);
    expect(await coreApi.create("contacts", { ...score, label: "Again" })).toMatchObject({ label: "Again" });
    expect((await coreApi.getAll("contacts", true)).results).toHaveLength(0);
  });

  test("a batch is created in part, and read", async () => {
    const { client } = await portalWithScore();
    const { batchApi } = client.crm.properties;
    const inputs = [score, { ...score, name: "other" }];
    expect(await batchApi.create("contacts", { inputs })).toMatchObject({
      results: [{ name: "other" }],
      numErrors: 1,
      errors: [{ category: "OBJECT_ALREADY_EXISTS" }],
    });
    const read = await batchApi.read("contacts", { archived: false, inputs: [{ name: "other" }] });
    expect(read.results).toHaveLength(1);
  });
});

describe("contacts", () => {
  test("a traced batch is written, in another order, with who is new", async () => {
    const { client } = await portalWithScore();
    const { batchApi } = client.crm.contacts;
    await batchApi.upsert({ inputs: [input("ann@example.com", { score: "1" }, "a")] });
    const inputs = [
      input("Ann@Example.com", { score: "2" }, "a"),
      input("bob@example.com", { score: "3" }, "b"),
    ];
    const { status, results } = await batchApi.upsert({ inputs });
    expect(status).toBe("COMPLETE");
    expect(results).toMatchObject([
      { _new: true, objectWriteTraceId: "b", properties: { email: "bob@example.com", score: "3" } },
      { _new: false, objectWriteTraceId: "a", properties: { email: "ann@example.com", score: "2" } },
    ]);
    expect(results[0]?.createdAt).toBeInstanceOf(Date);
  });

  test("a bad record in a traced batch comes back as an error beside the results", async () => {
    const { client } = await portalWithScore();
    const inputs = [
      input("ann@example.com", { score: "1" }, "a"),
      input("bob@example.com", { nope: "1" }, "b"),
    ];
    const answer = await client.crm.contacts.batchApi.upsert({ inputs });
    expect(answer).toMatchObject({
      results: [{ objectWriteTraceId: "a" }],
      numErrors: 1,
      errors: [{ status: "error", category: "VALIDATION_ERROR", context: { objectWriteTraceId: ["b"] } }],
    });
  });

  test("without trace ids one bad record makes the client throw, with the details in the message", async () => {
    const { client, admin } = await portalWithScore();
    const inputs = [input("ann@example.com", { score: "1" }), input("bob@", { score: "x" })];
    const error: unknown = await client.crm.contacts.batchApi.upsert({ inputs }).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 400, body: { category: "VALIDATION_ERROR" } });
    const details = hiddenDetails(textAt(error, "body", "message"));
    expect(details).toMatchObject([
      { name: "email", error: "INVALID_EMAIL" },
      { name: "score", error: "INVALID_LONG" },
    ]);
    expect(await admin.wholeContacts()).toEqual([]);
  });

  test.each([
    ["the same id twice", [input("a@example.com", {}, "1"), input("A@example.com", {}, "2")], 400],
    [
      "more than 100 inputs",
      Array.from({ length: 101 }, (_, i) => input(`p${i}@example.com`, {}, `${i}`)),
      400,
    ],
    ["an idProperty that is not unique", [{ ...input("x", {}, "1"), idProperty: "score" }], 400],
    [
      "two addresses of one contact",
      [input("ann@example.com", {}, "1"), input("ann@work.example", {}, "2")],
      409,
    ],
  ])("%s makes it throw whatever the trace ids", async (_case, inputs, code) => {
    const { client } = await portalWithScore();
    const { batchApi } = client.crm.contacts;
    const ann = input("ann@example.com", { hs_additional_emails: "ann@work.example" });
    await batchApi.upsert({ inputs: [ann] });
    await expect(batchApi.upsert({ inputs })).rejects.toMatchObject({ code });
  });

  test("nothing to do is success without results", async () => {
    const { client } = await portal();
    expect(await client.crm.contacts.batchApi.upsert({ inputs: [] })).toMatchObject({ results: [] });
  });

  test("it creates, reads by address, lists, updates and deletes", async () => {
    const { client } = await portalWithScore();
    const { basicApi, batchApi } = client.crm.contacts;
    const created = await basicApi.create({ properties: { email: "ann@example.com" }, associations: [] });
    const read = await basicApi.getById("ann@example.com", ["score"], undefined, undefined, false, "email");
    expect(read.id).toBe(created.id);
    expect(await basicApi.update(created.id, { properties: { score: "5" } })).toMatchObject({
      id: created.id,
    });
    const found = await batchApi.read({
      idProperty: "email",
      properties: ["score"],
      propertiesWithHistory: [],
      inputs: [{ id: "ann@example.com" }],
    });
    expect(found.results).toMatchObject([{ properties: { score: "5" } }]);
    expect((await basicApi.getPage()).results).toHaveLength(1);
    await basicApi.purge({ objectId: "ann@example.com", idProperty: "email" });
    await expect(basicApi.getById(created.id)).rejects.toMatchObject({ code: 404 });
  });

  test("too many calls make it throw 429 with the policy and without Retry-After", async () => {
    const { client, admin } = await portal();
    await admin.fault({ rateLimit: "0/10s" });
    const error: unknown = await client.crm.contacts.basicApi.getPage().catch((thrown) => thrown);
    expect(error).toMatchObject({
      code: 429,
      headers: { "x-hubspot-ratelimit-max": "0", "x-hubspot-ratelimit-interval-milliseconds": "10000" },
    });
    expect(error).not.toHaveProperty("headers.retry-after");
  });
});
