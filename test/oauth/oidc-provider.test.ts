/** The login of both vendors against a certified OAuth server, which forgives less than the emulator does. */
import { join } from "node:path";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { authorizeUrl, newAttempt } from "../../src/oauth/consent/authorize.ts";
import { codeFrom } from "../../src/oauth/consent/consent-refusal.ts";
import { clientCredentialsGrant, exchangeCode } from "../../src/oauth/endpoint/exchange.ts";
import { revokeToken } from "../../src/oauth/endpoint/revoke.ts";
import { createTokens } from "../../src/oauth/tokens.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { secret } from "../../src/shared/secret.ts";
import type { Destination } from "../../src/vendors/contract/destination.ts";
import { createHubspot } from "../../src/vendors/hubspot/hubspot.ts";
import { SCOPES } from "../../src/vendors/smartrecruiters/published/contract.ts";
import { createPublished } from "../../src/vendors/smartrecruiters/published/destination.ts";
import { V1 } from "../../src/vendors/smartrecruiters/v1/profile.ts";
import { createV1 } from "../../src/vendors/smartrecruiters/v1/destination.ts";
import { bundled, nextLine, start } from "../vault/processes.ts";
import { open, vaultOptions } from "../vault/world.ts";
import { connected, importResults, invite, succeed } from "../world.ts";
import {
  authorizationServer,
  type AuthorizationServer,
  consentAt,
  type Registered,
  RIGHT_SECRET,
} from "./authorization-server.ts";
import { testHttp } from "./world.ts";

interface Vendor {
  vendor: string;
  registered: Registered;
  openAt(base: string, options?: { pkce?: boolean }): Destination;
}

const HUBSPOT: Vendor = {
  vendor: "hubspot",
  registered: {
    clientId: "app-1",
    scopes: [
      "oauth",
      "crm.objects.contacts.read",
      "crm.objects.contacts.write",
      "crm.schemas.contacts.read",
      "crm.schemas.contacts.write",
    ],
    paths: {
      authorization: "/oauth/authorize",
      token: "/oauth/v3/token",
      revocation: "/oauth/v3/token/revoke",
    },
    redirectUri: "http://localhost:8976/hubspot/oauth-callback",
  },
  openAt: (base, { pkce = true } = {}) =>
    createHubspot(
      {
        apiBase: base,
        authorizeUrl: `${base}/oauth/authorize`,
        apiVersion: "v3",
        clientId: "app-1",
        pkce,
        redirectPort: 8976,
        resultBase: "https://jobcannon.io",
        tier: "none",
      },
      testHttp(),
      systemClock,
    ),
};
const SMARTRECRUITERS: Vendor = {
  vendor: "smartrecruiters",
  registered: {
    clientId: "acme-app",
    scopes: V1.scopes,
    paths: { authorization: "/identity/oauth/allow", token: "/identity/oauth/token" },
    redirectUri: "http://localhost:8977/smartrecruiters/oauth-callback",
  },
  openAt: (base, { pkce = true } = {}) =>
    createV1(
      {
        apiBase: base,
        identityBase: base,
        clientId: "acme-app",
        profile: "v1",
        pkce,
        redirectPort: 8977,
        region: null,
        resultBase: "https://jobcannon.io",
      },
      testHttp(),
      systemClock,
    ),
};
const PUBLISHED = (clientAuth: "client_secret_post" | "client_secret_basic"): Vendor => ({
  vendor: "smartrecruiters",
  registered: { ...SMARTRECRUITERS.registered, scopes: SCOPES, clientAuth },
  openAt: (base, { pkce = true } = {}) =>
    createPublished(
      {
        apiBase: base,
        identityBase: base,
        clientId: "acme-app",
        profile: "published",
        pkce,
        clientAuth,
        tokenHost: "identity",
        sendsRedirectUri: true,
        callsPerSecond: 10,
        onSuspension: "reactivate",
        results: ["properties", "note"],
        redirectPort: 8977,
        region: null,
        resultBase: "https://jobcannon.io",
      },
      testHttp(),
      systemClock,
    ),
});
const NEED_TOKEN = new URL("need-token.ts", import.meta.url);
const clientSecret = secret(RIGHT_SECRET);

/** A person connects; what came of it. */
async function login({ registered, openAt }: Vendor, server: AuthorizationServer, pkce = true) {
  const issuer = openAt(server.base, { pkce });
  const attempt = newAttempt(issuer.authorization);
  const { redirectUri } = registered;
  const back = await consentAt(authorizeUrl(issuer.authorization, attempt, redirectUri), redirectUri);
  expect(back.searchParams.get("state")).toBe(attempt.state);
  const code = codeFrom(back.searchParams, issuer, redirectUri);
  const { verifier } = attempt;
  const deps = { http: testHttp(), clock: systemClock };
  const grant = await exchangeCode(deps, { issuer, clientSecret, code, verifier, redirectUri });
  return { issuer, grant, deps };
}

/** The same, kept in a vault and expired since. */
async function expiredLogin(vendor: Vendor, server: AuthorizationServer) {
  const { issuer, grant, deps } = await login(vendor, server);
  const options = vaultOptions();
  const vault = open(options);
  const tokens = createTokens({ ...deps, vault });
  const connection = `acme/${vendor.vendor}/production`;
  await tokens.keep(connection, issuer, { ...grant, expiresAt: systemClock.now() - 1_000 });
  const request = { connection, issuer, clientSecret: async () => clientSecret };
  /** As another process has them. */
  const anew = () => createTokens({ ...deps, vault });
  return { tokens, anew, request, issuer, options, connection, grant, deps };
}

describe.each([
  { ...HUBSPOT, name: "hubspot" },
  { ...SMARTRECRUITERS, name: "smartrecruiters" },
  { ...PUBLISHED("client_secret_basic"), name: "smartrecruiters, as published," },
])("$name against oidc-provider", (vendor) => {
  test("gets its tokens by a code with S256, and is told in the server's words where that is missing", async () => {
    const server = await authorizationServer(vendor.registered);
    const { grant } = await login(vendor, server);
    expect(grant.refreshToken).not.toBe(null);
    expect(grant.scopes?.toSorted()).toEqual(vendor.registered.scopes.toSorted());
    expect(server.asked).toEqual([{ grant: "authorization_code", isTaken: true }]);
    await expect(login(vendor, server, false)).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringContaining("PKCE"),
      hint: expect.stringContaining(`set ${vendor.vendor}.pkce = true`),
    });
  });

  test("keeps each refresh token that takes the place of the last", async () => {
    const server = await authorizationServer(vendor.registered);
    const { tokens, request, connection, issuer } = await expiredLogin(vendor, server);
    const seen = new Set<string | undefined>();
    for (let n = 0; n < 3; n += 1) {
      await tokens.token(request);
      const set = await tokens.peek(connection);
      seen.add(set?.refreshToken?.reveal());
      const { accessToken, refreshToken = null, scopes } = set ?? { accessToken: clientSecret, scopes: [] };
      const expiresAt = systemClock.now() - 1_000;
      await tokens.keep(connection, issuer, {
        accessToken,
        refreshToken,
        scopes,
        expiresAt,
        accountId: null,
      });
    }
    expect(seen.size).toBe(3);
    expect(server.asked.slice(1)).toEqual(Array(3).fill({ grant: "refresh_token", isTaken: true }));
  });

  test("makes one refresh where six processes need one at once", async () => {
    const server = await authorizationServer(vendor.registered);
    const { options, connection, issuer } = await expiredLogin(vendor, server);
    const argument = { options, connection, issuer, clientSecret: RIGHT_SECRET };
    const file = await bundled(NEED_TOKEN);
    const processes = Array.from({ length: 6 }, () => start(file, argument));
    expect(await Promise.all(processes.map(nextLine))).toEqual(Array(6).fill("ready"));
    for (const { child } of processes) child.stdin?.write("now\n");
    const got = await Promise.all(processes.map(nextLine));
    expect(new Set(got).size).toBe(1);
    expect(server.asked.slice(1)).toEqual([{ grant: "refresh_token", isTaken: true }]);
  });

  test("knows a login that is dead since the answer of a refresh was lost, and names that as the cause", async () => {
    const server = await authorizationServer(vendor.registered);
    const { tokens, anew, request } = await expiredLogin(vendor, server);
    server.loseAnswer();
    await expect(tokens.token(request)).rejects.toMatchObject({ code: "VENDOR_UNAVAILABLE" });
    // The spent token, offered again, ends the whole login there.
    for (let n = 0; n < 2; n += 1) {
      await expect(anew().token(request)).rejects.toMatchObject({
        code: "RECONNECT_NEEDED",
        message: expect.stringContaining("An earlier refresh was cut off before its new tokens were kept"),
      });
    }
  });
});

test.each(["client_secret_post", "client_secret_basic"] as const)(
  "the app's own credentials, as %s, bring a token and the next one, and nothing that ends",
  async (clientAuth) => {
    const { registered, openAt } = PUBLISHED(clientAuth);
    const server = await authorizationServer(registered);
    const issuer = openAt(server.base);
    const deps = { http: testHttp(), clock: systemClock };
    const grant = await clientCredentialsGrant(deps, { issuer, clientSecret });
    expect(grant).toMatchObject({ refreshToken: null, scopes: null });
    const tokens = createTokens({ ...deps, vault: open(vaultOptions()) });
    const connection = "acme/smartrecruiters/production";
    const expired = { ...grant, expiresAt: systemClock.now() - 1_000 };
    await tokens.keep(connection, issuer, expired, "client-credentials");
    const request = { connection, issuer, clientSecret: async () => clientSecret };
    const next = await tokens.token(request);
    expect(next.reveal()).not.toBe(grant.accessToken.reveal());
    server.loseAnswer();
    await expect(tokens.token({ ...request, renewed: true })).rejects.toMatchObject({
      code: "VENDOR_UNAVAILABLE",
    });
    // Nothing was spent: whoever asks again has the next one.
    const anew = createTokens({ ...deps, vault: open(vaultOptions()) });
    await anew.keep(connection, issuer, expired, "client-credentials");
    expect((await anew.token(request)).reveal()).not.toBe(next.reveal());
    expect(server.asked.every(({ grant, isTaken }) => grant === "client_credentials" && isTaken)).toBe(true);
    const wrong = clientCredentialsGrant(deps, { issuer, clientSecret: secret("another secret") });
    await expect(wrong).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  },
);

test("what disconnect revokes is refused from then on", async () => {
  const server = await authorizationServer(HUBSPOT.registered);
  const { tokens, request, issuer, grant, deps } = await expiredLogin(HUBSPOT, server);
  if (grant.refreshToken === null) throw new Error("there is no refresh token");
  const { signal } = new AbortController();
  const { refreshToken } = grant;
  expect(await revokeToken(deps, { issuer, clientSecret, refreshToken, signal })).toEqual({
    kind: "revoked",
  });
  await expect(tokens.token(request)).rejects.toMatchObject({ code: "RECONNECT_NEEDED" });
});

const Row = v.object({
  connections: v.array(v.object({ state: v.string(), banner: v.nullable(v.string()) })),
});

test.each([
  ["run refresh", ["run", "refresh"]],
  ["run retry", ["run", "retry"]],
  ["run properties", ["run", "properties"]],
  ["resync-properties", ["resync-properties"]],
])("%s that meets a login lost in this way records it, with its cause", async (_what, argv) => {
  const server = await authorizationServer(HUBSPOT.registered);
  const world = await connected();
  await succeed(world, ["secrets", "set", "hubspot.client-secret"], RIGHT_SECRET);
  await importResults(world, [invite()]);
  const { issuer, grant, deps } = await login(HUBSPOT, server);
  const keyFile = join(world.dir, "vault.key");
  const tokens = createTokens({ ...deps, vault: open(vaultOptions({ stateDir: world.stateDir, keyFile })) });
  const connection = "acme/hubspot/production";
  await tokens.keep(connection, issuer, { ...grant, expiresAt: systemClock.now() - 1_000 });
  server.loseAnswer();
  await tokens.token({ connection, issuer, clientSecret: async () => clientSecret }).catch(() => {});

  const env = { JC_HUBSPOT_API_BASE: server.base };
  const { code } = await world.run([...argv, "--yes"], { env });
  expect([0, 4, 7]).toContain(code);
  const { json, ...status } = await world.run(["status", "--json"], { env });
  expect(status.code).toBe(4);
  expect(v.parse(Row, json).connections[0]).toMatchObject({
    state: "must_reconnect",
    banner: expect.stringContaining("An earlier refresh was cut off before its new tokens were kept"),
  });
});
