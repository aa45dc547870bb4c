import { describe, expect, test } from "vitest";
import { fakeClock } from "../fake-clock.ts";
import { ask, at, connect, emulator, post, refreshForm, SCOPES } from "./client.ts";
import { emulated } from "../emulated.ts";

describe("introspection and revocation", () => {
  const client = { client_id: "app", client_secret: "secret" };

  test.each(["v3", "2026-03", "2026-09"])("%s describes both tokens", async (version) => {
    const started = await emulator();
    await emulated(started).hubspot.settings({ introspection: "whole" });
    const { accessToken, refreshToken } = await connect(started);
    const url = `${started.hubspot}/oauth/${version}/token/introspect`;
    const access = await post(url, { ...client, token: accessToken, token_type_hint: "access_token" });
    expect(access.body).toMatchObject({
      active: true,
      hub_id: 8480001,
      client_id: "app",
      scopes: SCOPES,
      expires_in: expect.any(Number),
      token_use: "access_token",
    });
    const refresh = await post(url, { ...client, token: refreshToken });
    expect(refresh.body).toMatchObject({ active: true, token_use: "refresh_token" });
    expect(at(refresh.body, "expires_in")).toBeUndefined();
  });

  test("2026-09 tells no more than its description promises", async () => {
    const started = await emulator();
    const { accessToken } = await connect(started);
    const answer = await post(`${started.hubspot}/oauth/2026-09/token/introspect`, {
      ...client,
      token: accessToken,
    });
    expect(answer.body).toEqual({ active: true });
  });

  test("an unknown token is answered 200 and inactive", async () => {
    const { hubspot } = await emulator();
    const answer = await post(`${hubspot}/oauth/v3/token/introspect`, { ...client, token: "unknown" });
    expect(answer).toMatchObject({ status: 200, body: { active: false } });
  });

  test("a revoked refresh token is dead, the access token lives on", async () => {
    const started = await emulator();
    const { api, refreshToken } = await connect(started);
    const revoked = await post(`${started.hubspot}/oauth/2026-03/token/revoke`, {
      ...client,
      token: refreshToken,
    });
    expect(revoked.status).toBe(200);
    expect((await post(`${started.hubspot}/oauth/v3/token`, refreshForm(refreshToken))).status).toBe(400);
    expect((await api("GET", "/account-info/v3/details")).status).toBe(200);
  });

  test("the calls of v1 describe and delete tokens by path", async () => {
    const started = await emulator();
    const { accessToken, refreshToken } = await connect(started);
    const base = `${started.hubspot}/oauth/v1`;
    expect((await ask(`${base}/access-tokens/${accessToken}`)).body).toMatchObject({
      hub_id: 8480001,
      user_id: 8480,
    });
    expect((await ask(`${base}/refresh-tokens/${refreshToken}`)).body).toMatchObject({ client_id: "app" });
    expect((await ask(`${base}/refresh-tokens/${refreshToken}`, { method: "DELETE" })).status).toBe(204);
    expect((await ask(`${base}/refresh-tokens/${refreshToken}`)).status).toBe(404);
    expect((await ask(`${base}/access-tokens/unknown`)).status).toBe(404);
  });
});

describe("tokens on API calls", () => {
  test.each([undefined, "Bearer garbage", "Basic abc"])("authorization %s is answered 401", async (value) => {
    const { hubspot } = await emulator();
    const answer = await ask(`${hubspot}/account-info/v3/details`, {
      headers: value === undefined ? {} : { authorization: value },
    });
    expect(answer).toMatchObject({ status: 401, body: { category: "INVALID_AUTHENTICATION" } });
  });

  test("an access token expires after half an hour and says when", async () => {
    const clock = fakeClock();
    const { api } = await connect(await emulator({ clock }));
    clock.jump(clock.now() + 1_799_999);
    expect((await api("GET", "/account-info/v3/details")).status).toBe(200);
    clock.jump(clock.now() + 1);
    expect(await api("GET", "/account-info/v3/details")).toMatchObject({
      status: 401,
      body: { category: "EXPIRED_AUTHENTICATION", context: { "expire time": ["2026-11-22T12:30:00.000Z"] } },
    });
  });

  test("uninstalling ends every token of the portal, and of that portal only", async () => {
    const started = await emulator();
    const settings = (portalId: number) => emulated(started).hubspot.settings({ portalId });
    const stays = await connect(started);
    await settings(2);
    const goes = await connect(started);
    expect((await goes.api("DELETE", "/appinstalls/v3/external-install")).status).toBe(204);
    expect((await goes.api("GET", "/account-info/v3/details")).status).toBe(401);
    const refreshed = await post(`${started.hubspot}/oauth/v3/token`, refreshForm(goes.refreshToken));
    expect(refreshed).toMatchObject({ status: 400, body: { status: "BAD_REFRESH_TOKEN" } });
    expect((await stays.api("GET", "/account-info/v3/details")).status).toBe(200);
  });
});
