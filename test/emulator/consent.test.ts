import { describe, expect, test } from "vitest";
import { ask, at, authorizeUrl, codeForm, consent, emulator, post, REDIRECT_URI } from "./client.ts";
import { emulated } from "../emulated.ts";

describe("consent", () => {
  test("with auto-approve the browser goes straight back with code and state", async () => {
    const callback = await consent(await emulator());
    expect(callback.origin + callback.pathname).toBe(REDIRECT_URI);
    expect(callback.searchParams.get("state")).toBe("s1");
    expect(callback.searchParams.get("code")).toMatch(/^.{20,}$/);
  });

  test("the page names portal and scopes, escapes what it was given, and Approve leads back with a code", async () => {
    const started = await emulator({ autoApprove: false });
    const url = authorizeUrl(started, { client_id: "<script>alert(1)</script>" });
    const page = await ask(url);
    expect(page.status).toBe(200);
    expect(page.headers.get("content-type")).toContain("text/html");
    expect(page.body).toContain("Portal 8480001");
    expect(page.body).toContain("crm.schemas.contacts.write");
    expect(page.body).not.toContain("<script>");
    const approved = await post(url, { decision: "approve" });
    expect(approved.status).toBe(302);
    expect(approved.headers.get("location")).toContain("code=");
  });

  test("Deny leads back with an error instead of a code", async () => {
    const started = await emulator({ autoApprove: false });
    const denied = await post(authorizeUrl(started), { decision: "deny" });
    const { searchParams } = new URL(denied.headers.get("location") ?? "");
    expect(searchParams.get("error")).toBe("access_denied");
    expect(searchParams.get("error_description")).toBeTruthy();
    expect(searchParams.get("state")).toBe("s1");
    expect(searchParams.get("code")).toBeNull();
  });

  test.each([
    ["without a client id", { client_id: "" }],
    ["without scopes", { scope: " " }],
    ["with a redirect URI that is none", { redirect_uri: "nowhere" }],
    ["with an IP address", { redirect_uri: "http://127.0.0.1:8976/hubspot/oauth-callback" }],
    ["with an IPv6 address", { redirect_uri: "http://[::1]:8976/hubspot/oauth-callback" }],
    ["with plain http elsewhere than localhost", { redirect_uri: "http://example.com/callback" }],
    ["with a plain code challenge", { code_challenge: "x", code_challenge_method: "plain" }],
  ])("a request %s meets an error page and no redirect", async (_case, wrong) => {
    const answer = await ask(authorizeUrl(await emulator(), wrong));
    expect(answer.status).toBe(400);
    expect(answer.headers.get("location")).toBeNull();
    expect(answer.body).toContain("Authorization failed");
  });

  test("only registered redirect URIs are followed once some are registered", async () => {
    const started = await emulator();
    await emulated(started).hubspot.settings({ redirectUris: ["https://example.com/callback"] });
    expect((await ask(authorizeUrl(started))).status).toBe(400);
    const registered = await ask(authorizeUrl(started, { redirect_uri: "https://example.com/callback" }));
    expect(registered.status).toBe(302);
  });

  test("the path may name the portal", async () => {
    const started = await emulator();
    const url = authorizeUrl(started).replace("/oauth/authorize", "/oauth/777/authorize");
    const { headers } = await ask(url);
    const code = new URL(headers.get("location") ?? "").searchParams.get("code") ?? "";
    const { body } = await post(`${started.hubspot}/oauth/v3/token`, codeForm(code));
    expect(at(body, "hub_id")).toBe(777);
  });

  test("optional scopes are granted, and scopes the account lacks are dropped in silence", async () => {
    const started = await emulator();
    await emulated(started).hubspot.settings({ grantedScopes: ["oauth", "tickets"] });
    const code = (await consent(started, { optional_scope: "tickets files" })).searchParams.get("code") ?? "";
    const { body } = await post(`${started.hubspot}/oauth/v3/token`, codeForm(code));
    expect(at(body, "scopes")).toEqual(["oauth", "tickets"]);
  });
});
