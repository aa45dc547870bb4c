import { describe, expect, test } from "vitest";
import { explainTokenError, type TokenCall } from "../../src/oauth/endpoint/token-error.ts";
import { issuerAt } from "./world.ts";

const issuer = issuerAt("https://vendor.example");
const refresh: TokenCall = { issuer, step: "refresh" };
const exchange: TokenCall = { issuer, step: "exchange", redirectUri: "http://localhost:8976/cb" };

function explain(call: TokenCall, status: number, body: unknown) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return explainTokenError({ status, text, headers: {}, durationMs: 1 }, call);
}

describe("a refused refresh", () => {
  test.each([
    [400, { error: "invalid_grant", status: "BAD_REFRESH_TOKEN", message: "revoked" }],
    [400, { status: "BAD_REFRESH_TOKEN", message: "missing or invalid refresh token" }],
    [401, { error: "invalid_grant" }],
    [403, { status: "BAD_HUB", message: "missing or unknown hub id" }],
    [400, { error: "access_denied" }],
    [401, { status: "error", message: "unauthorized", correlationId: "c" }],
  ])("means a reconnect for %i %j", (status, body) => {
    expect(explain(refresh, status, body)).toMatchObject({
      code: "RECONNECT_NEEDED",
      hint: "jc-integrations connect hubspot",
    });
  });

  test.each([
    [400, { error: "invalid_client", status: "BAD_CLIENT_SECRET" }],
    [401, { error: "invalid_client" }],
    [500, { error: "invalid_client" }],
    [400, { status: "BAD_CLIENT_ID", message: "missing or unknown client id" }],
  ])("is the operator's configuration for %i %j, and disconnects nobody", (status, body) => {
    expect(explain(refresh, status, body)).toMatchObject({ code: "CONFIG_INVALID" });
  });

  test.each([
    [401, "<html>log in to the proxy</html>"],
    [401, ""],
    [401, { anything: "else" }],
    [200, "<!doctype html>"],
    [429, { status: "error", message: "rate limited" }],
    [502, "Bad Gateway"],
    [503, { status: "error", message: "down" }],
    [400, ["invalid_grant"]],
  ])("passes for %i %j", (status, body) => {
    expect(explain(refresh, status, body)).toMatchObject({ code: "VENDOR_UNAVAILABLE" });
  });

  test("is a refusal and nothing more for a 4xx nobody knows", () => {
    expect(explain(refresh, 422, { error: "odd", message: "strange" })).toMatchObject({
      code: "VENDOR_REJECTED",
      message: "HubSpot's token endpoint refused with 422 (odd: strange)",
    });
  });
});

describe("a refused code", () => {
  test.each([
    [{ status: "BAD_AUTH_CODE" }, "VENDOR_REJECTED", "Run again: jc-integrations connect hubspot"],
    [
      { error: "invalid_grant", status: "EXPIRED_AUTH_CODE" },
      "VENDOR_REJECTED",
      "Run again: jc-integrations connect hubspot",
    ],
    [{ error: "invalid_grant", status: "BAD_CODE_VERIFIER" }, "VENDOR_REJECTED", "hubspot.pkce"],
    [
      { error: "invalid_grant", status: "MISMATCH_REDIRECT_URI_AUTH_CODE" },
      "CONFIG_INVALID",
      "http://localhost:8976/cb",
    ],
    [{ status: "BAD_REDIRECT_URI" }, "CONFIG_INVALID", "http://localhost:8976/cb"],
    [{ status: "BAD_CLIENT_SECRET" }, "CONFIG_INVALID", "secrets set hubspot.client-secret"],
    [{ status: "BAD_CLIENT_ID" }, "CONFIG_INVALID", "hubspot.client_id"],
  ])("%j is %s with the fix %s", (body, code, hint) => {
    const answer = { message: "text that may change", ...body };
    expect(explain(exchange, 400, answer)).toMatchObject({ code, hint: expect.stringContaining(hint) });
  });

  test("has a hint that begins with the server's own words, whatever is advised", () => {
    for (const status of ["BAD_AUTH_CODE", "BAD_CLIENT_ID", "BAD_REDIRECT_URI", "BAD_CODE_VERIFIER", "ODD"]) {
      const { hint } = explain(exchange, 400, { error: "odd", error_description: "as it says", status });
      expect(hint).toMatch(new RegExp(`^HubSpot says: ${status}: as it says\\. \\w`));
    }
    expect(explain(exchange, 400, { error: "invalid_grant" }).hint).toMatch(
      /^HubSpot says: invalid_grant\. Codes/,
    );
  });

  test.each([
    [true, "false"],
    [false, "true"],
  ])("that speaks of PKCE while pkce = %s names the setting to try", (pkce, other) => {
    const call: TokenCall = { ...exchange, issuer: issuerAt("https://vendor.example", { pkce }) };
    for (const error_description of ["PKCE verification failed", "code_verifier is missing"]) {
      const { code, hint } = explain(call, 400, { error: "invalid_grant", error_description });
      expect(code).toBe("VENDOR_REJECTED");
      expect(hint).toContain(`set hubspot.pkce = ${other}`);
    }
  });

  test("the vendor's words come without control characters and cut short", () => {
    const said = explain(exchange, 400, { error: "odd", message: `\u001b]0;title\u0007${"x".repeat(500)}` });
    for (const words of [said.message, said.hint ?? ""]) {
      expect(words).not.toContain("\u001b");
      expect(words.length).toBeLessThan(320);
    }
  });
});
