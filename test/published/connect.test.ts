/** The three ways into an account of the published contract. */
import { describe, expect, test } from "vitest";
import { fakeClock } from "../fake-clock.ts";
import { CLIENT_SECRET, succeed, until } from "../world.ts";
import { resultsOf } from "./company.ts";
import { ALL_SCOPES, APP, companyOf, callsOf, publishedWorld, rowOf, tokenCalls, VENDOR } from "./world.ts";

const DAY_MS = 24 * 3_600_000;
const connection = (more: object) => ({ connection: expect.objectContaining(more) });

describe("connect smartrecruiters by client credentials", () => {
  test("needs no browser, reads company and scopes, and has no end", async () => {
    const world = await publishedWorld();
    const { json } = await succeed(world, ["connect", VENDOR, "--method", "client-credentials", "--json"]);
    expect(json).toMatchObject(
      connection({
        account: { id: APP, name: "Emulated Ltd", kind: null, region: null },
        scopes: ALL_SCOPES,
        missingScopes: [],
        login: null,
      }),
    );
    expect(world.visits).toEqual([]);
    expect(await rowOf(world)).toMatchObject({ state: "connected", account: `Emulated Ltd (${APP})` });
    // It is the usual way of this profile.
    expect((await world.run(["connect", VENDOR])).code).toBe(0);
    expect(world.visits).toEqual([]);
  });

  test("names the scopes that are missing, told by the tokens or found by asking", async () => {
    const world = await publishedWorld();
    const without = (...names: string[]) =>
      [...ALL_SCOPES, "company_read"].filter((name) => !names.includes(name));
    await world.smartrecruiters.settings({ grantedScopes: without("jobs_read", "webhooks_read") });
    const found = await world.run(["connect", VENDOR]);
    expect(found.code).toBe(7);
    expect(found.err).toContain("not granted: jobs_read, webhooks_read");
    await world.set({ tellsScopes: true });
    await world.smartrecruiters.settings({ grantedScopes: without("messages_write") });
    expect((await world.run(["connect", VENDOR])).err).toContain("not granted: messages_write");
    await world.smartrecruiters.settings({
      grantedScopes: [...without("webhooks_read", "webhooks_write", "webhooks_delete"), "webhooks_manage"],
    });
    expect((await world.run(["connect", VENDOR])).code).toBe(0);
    expect(await rowOf(world)).toMatchObject({ missingScopes: [] });
  });

  test("finds each scope of a write that is missing, by calls that change nothing there", async () => {
    const writes = [
      "candidates_create",
      "candidates_manage",
      "messages_write",
      "webhooks_write",
      "webhooks_delete",
    ];
    const world = await publishedWorld();
    for (const [index, name] of writes.entries()) {
      const scopeError = index % 2 === 0 ? "code" : "message";
      await world.set({ tellsScopes: false, scopeError });
      const grantedScopes = [...ALL_SCOPES, "company_read"].filter((each) => each !== name);
      await world.smartrecruiters.settings({ grantedScopes });
      const { code, err } = await world.run(["connect", VENDOR]);
      expect({ code, err }).toEqual({ code: 7, err: expect.stringContaining(`not granted: ${name}\n`) });
    }
    await world.smartrecruiters.settings({ grantedScopes: null });
    expect((await world.run(["connect", VENDOR])).code).toBe(0);
    expect(await companyOf(world)).toMatchObject({ subscriptions: [] });
    expect(await resultsOf(world)).toEqual([]);
  });

  test.each([
    { companyScope: "company_read", scopeError: "code" },
    { companyScope: "company_read", scopeError: "message" },
  ])("goes by the client id where the company may not be read: $scopeError", async (reading) => {
    const world = await publishedWorld();
    await world.set(reading);
    await world.smartrecruiters.settings({ grantedScopes: ALL_SCOPES });
    expect((await world.run(["connect", VENDOR])).code).toBe(0);
    expect(await rowOf(world)).toMatchObject({ account: `${APP} (${APP})`, missingScopes: [] });
  });

  test("asks for the next token when one ends, also with the secret in a header", async () => {
    const clock = fakeClock();
    const world = await publishedWorld({ clock, config: 'client_auth = "client_secret_basic"\n' });
    await succeed(world, ["connect", VENDOR]);
    await clock.advance(31 * 60_000);
    await succeed(world, ["run", "refresh"]);
    expect(await tokenCalls(world)).toEqual([200, 200]);
    await clock.advance(90 * DAY_MS);
    await succeed(world, ["run", "refresh"]);
    expect(await rowOf(world)).toMatchObject({ state: "connected", banner: null, login: null });
  });

  test("counts as refreshed what it fetched itself, and not what doctor had", async () => {
    const clock = fakeClock();
    const world = await publishedWorld({ clock });
    await succeed(world, ["connect", VENDOR]);
    clock.jump(clock.now() + 31 * 60_000);
    await world.run(["doctor", VENDOR]);
    expect(await tokenCalls(world)).toEqual([200, 200]);
    await succeed(world, ["secrets", "set", "smartrecruiters.client-secret"], "wrong");
    clock.jump(clock.now() + 1_000);
    const run = await succeed(world, ["run", "refresh", "--json"]);
    expect(run.json).toMatchObject({ refreshed: 0, failed: [] });
    expect(await tokenCalls(world)).toEqual([200, 200]);
    await succeed(world, ["secrets", "set", "smartrecruiters.client-secret"], CLIENT_SECRET);
    clock.jump(clock.now() + 31 * 60_000);
    expect((await succeed(world, ["run", "refresh"])).out).toBe("1 token refreshed\n");
    expect((await succeed(world, ["run", "refresh"])).out).toBe("0 tokens refreshed\n");
  });

  test("says what is wrong: the secret, a token endpoint without a token, a company without the API", async () => {
    const world = await publishedWorld();
    await succeed(world, ["secrets", "set", "smartrecruiters.client-secret"], "wrong");
    const wrong = await world.run(["connect", VENDOR]);
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain("does not know this client id and secret");
    await succeed(world, ["secrets", "set", "smartrecruiters.client-secret"], CLIENT_SECRET);
    await world.set({ token: "empty" });
    const empty = await world.run(["connect", VENDOR]);
    expect(empty.code).toBe(6);
    expect(empty.err).toContain("SmartRecruiters answered without an access token");
    await world.set({ token: { message: "Company does not have the Customer API feature" } });
    const barred = await world.run(["connect", VENDOR]);
    expect(barred.code).toBe(6);
    expect(barred.err).toContain("Customer API");
    expect(await rowOf(world)).toMatchObject({ state: "not_connected" });
  });

  test("leaves a connection alone that another profile made", async () => {
    const world = await publishedWorld();
    await succeed(world, ["connect", VENDOR]);
    const { code, json } = await world.run(["run", "refresh", "--json"], {
      env: { JC_SMARTRECRUITERS_PROFILE: "v1" },
    });
    expect(code).toBe(0);
    expect(json).toMatchObject({ failed: [expect.stringContaining("connected in another profile")] });
  });
});

describe("connect smartrecruiters --method api-key", () => {
  test("opens the company of the key, which no token does", async () => {
    const world = await publishedWorld();
    await succeed(world, ["secrets", "set", "smartrecruiters.api-key"], "the-key-of-the-company");
    const { json } = await succeed(world, ["connect", VENDOR, "--method", "api-key", "--json"]);
    expect(json).toMatchObject(connection({ account: expect.objectContaining({ id: "emulated-ltd" }) }));
    expect(await tokenCalls(world)).toEqual([]);
    expect(await rowOf(world)).toMatchObject({ state: "connected", tokenExpiresAt: null, login: null });
    await succeed(world, ["run", "refresh"]);
    const gone = await succeed(world, ["disconnect", VENDOR, "--yes"]);
    expect(gone.out).toContain("secrets remove smartrecruiters.api-key");
  });

  test("says that the key is not set, and when it is refused", async () => {
    const world = await publishedWorld();
    const unset = await world.run(["connect", VENDOR, "--method", "api-key"]);
    expect(unset.code).toBe(2);
    expect(unset.err).toContain("secrets set smartrecruiters.api-key --org acme\n");
    await succeed(world, ["secrets", "set", "smartrecruiters.api-key"], "wrong");
    const refused = await world.run(["connect", VENDOR, "--method", "api-key"]);
    expect(refused.code).toBe(4);
    expect(refused.err).toContain("does not take the API key");
  });
});

describe("connect smartrecruiters --method code", () => {
  test("says when the login ends, which each refresh puts off, and tells before it does", async () => {
    const clock = fakeClock();
    const world = await publishedWorld({ clock });
    const began = clock.now();
    const { out } = await succeed(world, ["connect", VENDOR, "--method", "code"]);
    const day = (at: number) => new Date(at).toISOString().slice(0, 10);
    expect(out).toContain(`good until ${day(began + 28 * DAY_MS)}`);
    await until("the browser has seen it", () => world.visits.length === 1);
    await clock.advance(10 * DAY_MS);
    await succeed(world, ["run", "refresh"]);
    const renewed = await rowOf(world);
    expect(renewed?.login?.endsAt.slice(0, 10)).toBe(day(clock.now() + 28 * DAY_MS));
    expect(renewed).toMatchObject({ banner: null });
    await clock.advance(22 * DAY_MS);
    const { out: told } = await world.run(["status"]);
    expect(told).toContain("ends in 6 days");
    await clock.advance(7 * DAY_MS);
    await world.run(["run", "refresh"]);
    expect(await rowOf(world)).toMatchObject({ state: "must_reconnect" });
  });

  test.each([true, false])("exchanges the code with or without the redirect URI: %s", async (sends) => {
    const world = await publishedWorld({ config: `send_redirect_uri = ${sends}\n` });
    await succeed(world, ["connect", VENDOR, "--method", "code"]);
    expect(await callsOf(world)).toContain("GET /configuration/company");
  });
});

test("a vendor with one way in has no other", async () => {
  const world = await publishedWorld();
  const { code, err } = await world.run(["connect", "hubspot", "--method", "api-key"]);
  expect(code).toBe(2);
  expect(err).toContain("leave --method out");
  const odd = await world.run(["connect", VENDOR, "--method", "password"]);
  expect(odd.code).toBe(2);
  expect(odd.err).toContain("client-credentials | api-key | code");
});
