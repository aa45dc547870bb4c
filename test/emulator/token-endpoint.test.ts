import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { fakeClock } from "../fake-clock.ts";
import {
  ask,
  at,
  codeForm,
  connect,
  consent,
  emulator,
  post,
  refreshForm,
  SCOPES,
  textAt,
} from "./client.ts";
import { emulated } from "../emulated.ts";

const VERSIONS = ["v1", "v3", "2026-03", "2026-09"];

describe("the token endpoint", () => {
  test.each(VERSIONS)("%s exchanges a code and refreshes with the same refresh token", async (version) => {
    const started = await emulator();
    const code = (await consent(started)).searchParams.get("code") ?? "";
    const first = await post(`${started.hubspot}/oauth/${version}/token`, codeForm(code));
    expect(first.status).toBe(200);
    expect(first.body).toMatchObject({
      expires_in: 1800,
      token_type: "bearer",
      token_use: "access_token",
      hub_id: 8480001,
      scopes: SCOPES,
    });
    const refreshToken = textAt(first.body, "refresh_token");
    const second = await post(`${started.hubspot}/oauth/${version}/token`, refreshForm(refreshToken));
    expect(second.status).toBe(200);
    expect(textAt(second.body, "refresh_token")).toBe(refreshToken);
    expect(textAt(second.body, "access_token")).not.toBe(textAt(first.body, "access_token"));
  });

  test("an error carries both pairs of fields and a correlation id that is also a header", async () => {
    const { hubspot } = await emulator();
    const refused = await post(`${hubspot}/oauth/v3/token`, refreshForm("unknown"));
    expect(refused.status).toBe(400);
    expect(refused.body).toMatchObject({
      error: "invalid_grant",
      error_description: expect.any(String),
      status: "BAD_REFRESH_TOKEN",
      message: expect.any(String),
    });
    expect(refused.headers.get("x-hubspot-correlation-id")).toBe(textAt(refused.body, "correlationId"));
  });

  test("a code works once", async () => {
    const started = await emulator();
    const form = codeForm((await consent(started)).searchParams.get("code") ?? "");
    expect((await post(`${started.hubspot}/oauth/v3/token`, form)).status).toBe(200);
    const again = await post(`${started.hubspot}/oauth/v3/token`, form);
    expect(again).toMatchObject({ status: 400, body: { error: "invalid_grant", status: "BAD_AUTH_CODE" } });
  });

  test("a code lives for a minute", async () => {
    const clock = fakeClock();
    const started = await emulator({ clock });
    const form = codeForm((await consent(started)).searchParams.get("code") ?? "");
    clock.jump(clock.now() + 60_000);
    const late = await post(`${started.hubspot}/oauth/v3/token`, form);
    expect(late).toMatchObject({ status: 400, body: { status: "EXPIRED_AUTH_CODE" } });
  });

  test.each([
    ["another redirect URI", { redirect_uri: "http://localhost:1/x" }, "MISMATCH_REDIRECT_URI_AUTH_CODE"],
    ["another client", { client_id: "other" }, "BAD_AUTH_CODE"],
    ["the wrong secret", { client_secret: "wrong" }, "BAD_CLIENT_SECRET"],
    ["no secret", { client_secret: "" }, "BAD_CLIENT_SECRET"],
    ["no client id", { client_id: "" }, "BAD_CLIENT_ID"],
    ["an unknown grant type", { grant_type: "password" }, "BAD_GRANT_TYPE"],
  ])("a code exchange with %s is refused", async (_case, wrong, status) => {
    const started = await emulator();
    const form = codeForm((await consent(started)).searchParams.get("code") ?? "");
    const refused = await post(`${started.hubspot}/oauth/v3/token`, { ...form, ...wrong });
    expect(refused).toMatchObject({ status: 400, body: { status } });
    expect(at(refused.body, "error") === "invalid_client").toBe(status.startsWith("BAD_CLIENT"));
  });

  test("a body that is no form is refused", async () => {
    const { hubspot } = await emulator();
    const headers = { "content-type": "application/json" };
    const answer = await ask(`${hubspot}/oauth/v3/token`, { method: "POST", headers, body: "{}" });
    expect(answer.status).toBe(415);
  });

  test("after a challenge only its verifier gets the tokens", async () => {
    const started = await emulator();
    const verifier = "a-verifier-long-enough-to-be-one-0123456789";
    const challenge = {
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
    };
    const codes = [await consent(started, challenge), await consent(started, challenge)];
    const [wrong, right] = codes.map((url) => codeForm(url.searchParams.get("code") ?? ""));
    const refused = await post(`${started.hubspot}/oauth/v3/token`, { ...wrong, code_verifier: "other" });
    expect(refused).toMatchObject({ status: 400, body: { status: "BAD_CODE_VERIFIER" } });
    const accepted = await post(`${started.hubspot}/oauth/v3/token`, { ...right, code_verifier: verifier });
    expect(accepted.status).toBe(200);
  });

  test("a refresh token works only for the client it was given to", async () => {
    const started = await emulator();
    const { refreshToken } = await connect(started);
    const form = { ...refreshForm(refreshToken), client_id: "other" };
    const refused = await post(`${started.hubspot}/oauth/v3/token`, form);
    expect(refused).toMatchObject({ status: 400, body: { status: "BAD_REFRESH_TOKEN" } });
  });

  test("with one-use tokens a refresh ends the old refresh token", async () => {
    const started = await emulator();
    await emulated(started).hubspot.settings({ oneUseTokens: true });
    const { refreshToken } = await connect(started);
    const url = `${started.hubspot}/oauth/v3/token`;
    const renewed = await post(url, refreshForm(refreshToken));
    expect(textAt(renewed.body, "refresh_token")).not.toBe(refreshToken);
    expect(await post(url, refreshForm(refreshToken))).toMatchObject({
      status: 400,
      body: { status: "BAD_REFRESH_TOKEN" },
    });
    expect((await post(url, refreshForm(textAt(renewed.body, "refresh_token")))).status).toBe(200);
  });
});
