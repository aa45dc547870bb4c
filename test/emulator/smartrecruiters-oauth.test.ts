import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { fakeClock } from "../fake-clock.ts";
import { ask, asking, at, emulator, post, textAt } from "./client.ts";
import {
  allowUrl,
  connect,
  consentCode,
  exchange,
  REDIRECT_URI,
  refresh,
  SCOPES,
  token,
} from "./smartrecruiters-client.ts";
import { emulated } from "../emulated.ts";

describe("consent", () => {
  test("with auto-approve the browser goes straight back with code and state", async () => {
    const { headers } = await ask(allowUrl(await emulator()));
    const callback = new URL(headers.get("location") ?? "");
    expect(callback.origin + callback.pathname).toBe(REDIRECT_URI);
    expect(callback.searchParams.get("state")).toBe("s1");
    expect(callback.searchParams.get("code")).toBeTruthy();
  });

  test("the page names company and scopes; Approve leads back with a code, Deny with an error", async () => {
    const started = await emulator({ autoApprove: false });
    const url = allowUrl(started, { client_id: "<b>acme" });
    const page = await ask(url);
    expect(page.body).toContain("assessments:write");
    expect(page.body).toContain("SmartRecruiters");
    expect(page.body).not.toContain("<b>acme");
    expect((await post(url, { decision: "approve" })).headers.get("location")).toContain("code=");
    expect((await post(url, { decision: "deny" })).headers.get("location")).toContain("error=access_denied");
  });

  test("a redirect URI that is not registered is refused in the vendor's words, and nobody is sent there", async () => {
    const started = await emulator();
    await emulated(started).smartrecruiters.settings({
      redirectUris: ["https://api.jobcannon.io/smartrecruiters/oauth-callback"],
    });
    const refused = await ask(allowUrl(started));
    expect(refused.status).toBe(400);
    expect(refused.body).toContain("Invalid OAuth redirect URI");
    expect(refused.headers.get("location")).toBeNull();
  });
});

describe("the token call", () => {
  test("gives both tokens for a code, once", async () => {
    const started = await emulator();
    const code = await consentCode(started);
    expect(await exchange(started, code)).toMatchObject({
      status: 200,
      body: {
        access_token: expect.any(String),
        token_type: "bearer",
        expires_in: 1800,
        refresh_token: expect.any(String),
        scope: SCOPES.join(" "),
      },
    });
    expect(await exchange(started, code)).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
  });

  test("takes PKCE at its word when it was sent", async () => {
    const started = await emulator();
    const verifier = "a".repeat(43);
    const challenge = createHash("sha256").update(verifier).digest("base64url");
    const pkce = { code_challenge: challenge, code_challenge_method: "S256" };
    const without = await exchange(started, await consentCode(started, pkce));
    expect(without).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
    const code = await consentCode(started, pkce);
    expect((await exchange(started, code, { code_verifier: verifier })).status).toBe(200);
  });

  test("refuses another redirect URI than the consent's in the vendor's words", async () => {
    const started = await emulator();
    const other = { redirect_uri: "http://localhost:1/other" };
    expect(await exchange(started, await consentCode(started), other)).toMatchObject({
      status: 400,
      body: { error: "invalid_grant", error_description: "Invalid OAuth redirect URI" },
    });
  });

  test.each(["wrong", ""])("answers 401 invalid_client to the secret %j", async (client_secret) => {
    const started = await emulator();
    const code = await consentCode(started);
    expect(await exchange(started, code, { client_secret })).toMatchObject({
      status: 401,
      body: { error: "invalid_client" },
    });
  });

  test("knows two grant types", async () => {
    expect(await token(await emulator(), { grant_type: "password" })).toMatchObject({
      status: 400,
      body: { error: "unsupported_grant_type" },
    });
  });
});

describe("refresh", () => {
  test("gives a new refresh token each time, and the old one stays good", async () => {
    const started = await emulator();
    const { refreshToken } = await connect(started);
    const first = await refresh(started, refreshToken);
    expect(first.status).toBe(200);
    expect(at(first.body, "refresh_token")).not.toBe(refreshToken);
    expect((await refresh(started, refreshToken)).status).toBe(200);
    expect((await refresh(started, textAt(first.body, "refresh_token"))).status).toBe(200);
  });

  test("ends the old refresh token where tokens are for one use", async () => {
    const started = await emulator();
    await emulated(started).smartrecruiters.settings({ oneUseTokens: true });
    const { refreshToken } = await connect(started);
    const first = await refresh(started, refreshToken);
    expect(await refresh(started, refreshToken)).toMatchObject({
      status: 400,
      body: { error: "invalid_grant" },
    });
    expect((await refresh(started, textAt(first.body, "refresh_token"))).status).toBe(200);
  });

  test("belongs to the client that consented", async () => {
    const started = await emulator();
    const { refreshToken } = await connect(started);
    expect((await refresh(started, refreshToken, { client_id: "other" })).status).toBe(400);
  });
});

describe("access", () => {
  test("ends with the token's half hour", async () => {
    const clock = fakeClock();
    const { api } = await connect(await emulator({ clock }));
    clock.jump(clock.now() + 1_799_999);
    expect((await api("GET", "/v1/custom-fields")).status).toBe(200);
    clock.jump(clock.now() + 1);
    expect(await api("GET", "/v1/custom-fields")).toMatchObject({
      status: 401,
      body: { message: expect.any(String), errors: [{ code: "UNAUTHENTICATED" }] },
    });
  });

  test("a revocation lasts until the company consents anew", async () => {
    const started = await emulator();
    const { api, refreshToken } = await connect(started);
    await emulated(started).smartrecruiters.fault({ revoked: true });
    expect((await api("GET", "/v1/custom-fields")).status).toBe(401);
    expect(await refresh(started, refreshToken)).toMatchObject({
      status: 400,
      body: { error: "invalid_grant" },
    });
    const again = await connect(started);
    expect((await again.api("GET", "/v1/custom-fields")).status).toBe(200);
  });

  test("is limited to the scopes that were granted, and to those not taken back since", async () => {
    const started = await emulator();
    const { api: earlier } = await connect(started);
    await emulated(started).smartrecruiters.settings({
      grantedScopes: SCOPES.filter((scope) => scope !== "assessments:write"),
    });
    const { api: later } = await connect(started);
    await emulated(started).smartrecruiters.settings({ grantedScopes: null });
    expect(await later("POST", "/v1/assessments", {})).toMatchObject({
      status: 403,
      body: { errors: [{ code: "OAuthPermissionsException", message: "Missing scope assessments:write" }] },
    });
    expect((await earlier("POST", "/v1/assessments", {})).status).toBe(422);
    await emulated(started).smartrecruiters.settings({ grantedScopes: ["candidates:read"] });
    expect((await earlier("POST", "/v1/assessments", {})).status).toBe(403);
  });

  test("is limited to 100 calls a second in each company", async () => {
    const started = await emulator({ clock: fakeClock() });
    const { api } = await connect(started);
    const calls = await Promise.all(Array.from({ length: 101 }, () => api("GET", "/v1/custom-fields")));
    const refused = calls.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(1);
    expect(refused[0]).toMatchObject({ body: { errors: [{ code: "TOO_MANY_REQUESTS" }] } });
    expect(refused[0]?.headers.get("X-RateLimit-Limit")).toBe("100");
    expect(refused[0]?.headers.get("X-RateLimit-Remaining")).toBe("0");
    const other = await connect(started, "other");
    const answer = await other.api("GET", "/v1/custom-fields");
    expect(answer.headers.get("X-RateLimit-Remaining")).toBe("99");
    await emulated(started).smartrecruiters.fault({ rateLimit: "1/1s" });
    expect((await other.api("GET", "/v1/custom-fields")).status).toBe(429);
  });

  test("needs a token, and what is not there is not found in the vendor's shape", async () => {
    const { smartrecruiters } = await emulator();
    const stranger = asking(smartrecruiters);
    expect((await stranger("GET", "/v1/custom-fields")).status).toBe(401);
    expect(await stranger("GET", "/v1/nothing")).toMatchObject({
      status: 404,
      body: { message: expect.any(String), errors: [{ code: "NOT_FOUND" }] },
    });
  });
});
