import { describe, expect, test } from "vitest";
import { fakeClock } from "../fake-clock.ts";
import { at, connect, control, emulator, listAt, post, refreshForm } from "./client.ts";
import { emulated } from "../emulated.ts";

const UPSERT = "/crm/v3/objects/contacts/batch/upsert";
const DETAILS = "/account-info/v3/details";

async function portal(options = {}) {
  const started = await emulator(options);
  const app = await connect(started);
  const operate = control(started);
  return {
    ...app,
    started,
    fault: (input: unknown) => operate("POST", "/hubspot/faults", input),
    clear: () => operate("DELETE", "/hubspot/faults"),
    emails: async () =>
      listAt((await operate("GET", "/hubspot/contacts")).body).map((contact) => at(contact, "email")),
    requests: async () => listAt((await operate("GET", "/hubspot/requests")).body),
    upsert: (email: string) =>
      app.api("POST", UPSERT, { inputs: [{ id: email, idProperty: "email", properties: {} }] }),
  };
}

describe("a status fault", () => {
  test("answers so many times, with no work done", async () => {
    const { fault, upsert, emails, requests } = await portal();
    await fault({ status: 503, times: 2 });
    expect((await upsert("a@example.com")).status).toBe(503);
    expect((await upsert("a@example.com")).status).toBe(503);
    expect(await emails()).toEqual([]);
    expect((await upsert("a@example.com")).status).toBe(200);
    expect(await emails()).toEqual(["a@example.com"]);
    expect((await requests()).slice(-3).map((request) => at(request, "status"))).toEqual([503, 503, 200]);
  });

  test("has its own headers and body", async () => {
    const { api, fault } = await portal();
    await fault({ status: 477, headers: { "Retry-After": 60 }, body: { message: "migrating" }, times: 1 });
    const answer = await api("GET", DETAILS);
    expect(answer).toMatchObject({ status: 477, body: { message: "migrating" } });
    expect(answer.headers.get("retry-after")).toBe("60");
    expect(answer.headers.get("x-hubspot-correlation-id")).toBeTruthy();
    await fault({ status: 502, headers: { "content-type": "text/html" }, body: "<h1>Bad gateway</h1>" });
    expect(await api("GET", DETAILS)).toMatchObject({ status: 502, body: "<h1>Bad gateway</h1>" });
  });

  test("without times stays until the faults are cleared", async () => {
    const { api, fault, clear } = await portal();
    await fault({ status: 500 });
    for (let index = 0; index < 3; index++) expect((await api("GET", DETAILS)).status).toBe(500);
    expect((await clear()).status).toBe(204);
    expect((await api("GET", DETAILS)).status).toBe(200);
  });

  test("strikes only what its method, path and text match", async () => {
    const { api, fault, upsert } = await portal();
    await fault({ status: 500, method: "post", path: "/crm/v3/objects", match: "poison@example.com" });
    expect((await upsert("fine@example.com")).status).toBe(200);
    expect((await api("GET", DETAILS)).status).toBe(200);
    expect((await upsert("poison@example.com")).status).toBe(500);
  });

  test("waits its turn behind an older one that matches", async () => {
    const { api, fault } = await portal();
    await fault({ status: 500, times: 1 });
    await fault({ status: 503, times: 1 });
    await fault({ status: 502, path: "/nowhere" });
    const statuses = [];
    for (let index = 0; index < 3; index++) statuses.push((await api("GET", DETAILS)).status);
    expect(statuses).toEqual([500, 503, 200]);
  });
});

test("a delay answers late, and the work is done at once", async () => {
  const clock = fakeClock();
  const { fault, upsert, emails, requests } = await portal({ clock });
  await fault({ delayMs: 60_000, path: "/crm", times: 1 });
  let isAnswered = false;
  const late = upsert("a@example.com").then((answer) => {
    isAnswered = true;
    return answer;
  });
  await expect.poll(() => clock.sleepers()).toBe(1);
  expect(await emails()).toEqual(["a@example.com"]);
  expect((await requests()).at(-1)).toMatchObject({ path: UPSERT, status: 200 });
  await clock.advance(59_999);
  expect(isAnswered).toBe(false);
  await clock.advance(1);
  expect((await late).status).toBe(200);
});

test("a drop cuts the connection after the work was done", async () => {
  const { fault, upsert, emails, requests } = await portal();
  await fault({ drop: true, times: 1 });
  await expect(upsert("a@example.com")).rejects.toThrow("fetch failed");
  expect(await emails()).toEqual(["a@example.com"]);
  expect((await requests()).at(-1)).toMatchObject({ path: UPSERT, status: 0 });
  expect((await upsert("a@example.com")).status).toBe(200);
});

describe("a revocation", () => {
  test("refuses API calls and refreshes until it is taken back", async () => {
    const { api, fault, started, refreshToken } = await portal();
    const url = `${started.hubspot}/oauth/v3/token`;
    await fault({ revoked: true });
    expect(await api("GET", DETAILS)).toMatchObject({
      status: 401,
      body: { category: "INVALID_AUTHENTICATION" },
    });
    expect(await post(url, refreshForm(refreshToken))).toMatchObject({
      status: 400,
      body: { error: "invalid_grant", status: "BAD_REFRESH_TOKEN" },
    });
    const client = { client_id: "app", client_secret: "secret", token: refreshToken };
    expect(await post(`${url}/introspect`, client)).toMatchObject({ body: { active: false } });
    await fault({ revoked: false });
    expect((await api("GET", DETAILS)).status).toBe(200);
    expect((await post(url, refreshForm(refreshToken))).status).toBe(200);
  });

  test("ends with the faults", async () => {
    const { api, fault, clear } = await portal();
    await fault({ revoked: true });
    expect((await api("GET", DETAILS)).status).toBe(401);
    await clear();
    expect((await api("GET", DETAILS)).status).toBe(200);
  });

  test("ends for a portal that consents anew, and for no other", async () => {
    const { api, fault, started } = await portal();
    await emulated(started).hubspot.settings({ portalId: 2 });
    const other = await connect(started);
    await fault({ revoked: true });
    expect((await other.api("GET", DETAILS)).status).toBe(401);
    const renewed = await connect(started);
    expect((await renewed.api("GET", DETAILS)).status).toBe(200);
    expect((await api("GET", DETAILS)).status).toBe(401);
  });

  test("with times passes after so many refusals", async () => {
    const { api, fault } = await portal();
    await fault({ revoked: true, times: 1 });
    expect((await api("GET", DETAILS)).status).toBe(401);
    expect((await api("GET", DETAILS)).status).toBe(200);
  });
});

describe("the list of faults", () => {
  test("shows what is in force", async () => {
    const { started, fault } = await portal();
    expect((await fault({ status: 503, times: 3, path: "/crm" })).status).toBe(201);
    await fault({ rateLimit: "10/10s" });
    expect((await control(started)("GET", "/hubspot/faults")).body).toEqual([
      { status: 503, times: 3, path: "/crm" },
      { rateLimit: "10/10000ms" },
    ]);
  });

  test.each([
    ["nothing", undefined, "JSON object"],
    ["no kind", { times: 1 }, "exactly one of"],
    ["two kinds", { status: 500, drop: true }, "exactly one of"],
    ["a status beyond HTTP", { status: 99 }, '"status"'],
    ["a negative delay", { delayMs: -1 }, '"delayMs"'],
    ["a rate that is none", { rateLimit: "fast" }, '"rateLimit"'],
    ["zero times", { status: 500, times: 0 }, '"times"'],
    ["an unknown field", { drop: true, body: "x" }, '"body"'],
    ["a path that is no text", { drop: true, path: 1 }, '"path"'],
    ["a header that is no text", { status: 500, headers: { a: [] } }, '"a"'],
  ])("takes no fault with %s", async (_case, input, words) => {
    const refused = await (await portal()).fault(input);
    expect(refused.status).toBe(400);
    expect(at(refused.body, "message")).toContain(words);
  });
});
