import { once } from "node:events";
import { createServer } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { refreshGrant } from "../../src/oauth/endpoint/exchange.ts";
import { revokeToken } from "../../src/oauth/endpoint/revoke.ts";
import { secret } from "../../src/shared/secret.ts";
import { fakeClock } from "../fake-clock.ts";
import { issuerAt, testHttp } from "./world.ts";

/** A token endpoint that gives one answer, and remembers what it was asked. */
async function endpointAnswering(status: number, body: unknown) {
  const forms: Record<string, string>[] = [];
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    forms.push(Object.fromEntries(new URLSearchParams(text)));
    response.writeHead(status).end(typeof body === "string" ? body : JSON.stringify(body));
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  return { issuer: issuerAt(`http://127.0.0.1:${port}`), forms };
}

const client = { clientSecret: secret("cs"), refreshToken: secret("r1") };

test.each([
  [
    { expires_in: 1800, scopes: ["a", "b"], hub_id: 62515 },
    { scopes: ["a", "b"], accountId: "62515" },
  ],
  [
    { expires_in: "1800", scope: "a b", token_type: "Bearer" },
    { scopes: ["a", "b"], accountId: null },
  ],
])("an answer is read in whatever spelling: %j", async (more, expected) => {
  const clock = fakeClock();
  const { issuer, forms } = await endpointAnswering(200, { access_token: "a1", ...more });
  const grant = await refreshGrant({ http: testHttp(), clock }, { issuer, ...client });
  expect(grant).toMatchObject({ refreshToken: null, expiresAt: clock.now() + 1_800_000, ...expected });
  expect(grant.accessToken.reveal()).toBe("a1");
  expect(forms).toEqual([
    { grant_type: "refresh_token", refresh_token: "r1", client_id: "app-1", client_secret: "cs" },
  ]);
});

test.each([
  [{ refresh_token: "r2" }, "VENDOR_UNEXPECTED"],
  [{ access_token: "" }, "VENDOR_UNEXPECTED"],
  [{ error: "invalid_grant" }, "RECONNECT_NEEDED"],
  ["<html>welcome to the hotel</html>", "VENDOR_UNAVAILABLE"],
])("status 200 with %j is %s", async (body, code) => {
  const { issuer } = await endpointAnswering(200, body);
  const refreshing = refreshGrant({ http: testHttp(), clock: fakeClock() }, { issuer, ...client });
  await expect(refreshing).rejects.toMatchObject({ code });
});

test("a vendor that cannot be reached is unavailable", async () => {
  const issuer = issuerAt("http://127.0.0.1:9");
  const refreshing = refreshGrant({ http: testHttp(), clock: fakeClock() }, { issuer, ...client });
  await expect(refreshing).rejects.toMatchObject({ code: "VENDOR_UNAVAILABLE" });
});

test("revoking sends the refresh token, and never stands in the way of a disconnect", async () => {
  const http = testHttp();
  const willing = await endpointAnswering(204, "");
  expect(await revokeToken({ http }, { issuer: willing.issuer, ...client })).toEqual({ kind: "revoked" });
  expect(willing.forms[0]).toMatchObject({ token: "r1", token_type_hint: "refresh_token" });
  const failing = await endpointAnswering(500, "no");
  expect(await revokeToken({ http }, { issuer: failing.issuer, ...client })).toMatchObject({
    kind: "failed",
  });
  const absent = issuerAt("http://127.0.0.1:9");
  expect(await revokeToken({ http }, { issuer: absent, ...client })).toMatchObject({ kind: "failed" });
  const unable = issuerAt("http://127.0.0.1:9", { revokeUrl: null });
  expect(await revokeToken({ http }, { issuer: unable, ...client })).toEqual({ kind: "not_offered" });
});
