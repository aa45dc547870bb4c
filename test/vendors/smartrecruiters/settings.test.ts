import { listKeysCommand } from "../../../src/core/advice/command-lines.ts";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Environment } from "../../../src/core/connection.ts";
import { loadConfig } from "../../../src/shared/config.ts";
import { createHttp } from "../../../src/shared/http.ts";
import { openSmartrecruiters } from "../../../src/vendors/smartrecruiters/smartrecruiters.ts";
import { openSources, VENDORS } from "../../../src/vendors/index.ts";
import { fakeClock } from "../../fake-clock.ts";
import { openCompany } from "./company.ts";

function open(
  toml: string,
  { org = "acme", environment = "production" }: { org?: string; environment?: Environment } = {},
) {
  const folder = mkdtempSync(join(tmpdir(), "jc-config-"));
  const http = createHttp({ caFile: null, proxy: null });
  onTestFinished(async () => {
    await http.close();
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, "config.toml");
  writeFileSync(file, toml);
  const config = loadConfig({
    file,
    isRequired: true,
    env: {},
    flags: {},
    listKeys: listKeysCommand,
    vendors: VENDORS,
  });
  return openSmartrecruiters({ config, org, environment, http, clock: fakeClock() });
}

const BOTH = `
[smartrecruiters]
client_id = "everybody"
[orgs.acme]
smartrecruiters_client_id = "acme-app"
smartrecruiters_region = "us"
`;

test("both sides of the vendor are on the list", async () => {
  const declared = VENDORS.find(({ vendor }) => vendor === "smartrecruiters");
  expect(await declared?.destination?.open()).toBe(openSmartrecruiters);
  expect((await openSources()).find(({ id }) => id === "smartrecruiters")).toMatchObject({
    path: "/smartrecruiters/webhooks",
    secretName: "smartrecruiters.webhook-secret",
  });
});

describe("the configuration", () => {
  test("gives each org its own app and region", async () => {
    const { access } = await openCompany();
    const acme = open(BOTH);
    expect(acme.authorization.clientId).toBe("acme-app");
    const sandbox = `${BOTH}[sandbox.smartrecruiters]\nclient_id = "acme-sandbox"\n`;
    expect(open(sandbox, { environment: "sandbox" }).authorization.isOrgsClientId).toBe(false);
    expect(open(BOTH, { environment: "sandbox" }).authorization.isOrgsClientId).toBe(true);
    expect(open(BOTH, { org: "globex" }).authorization.isOrgsClientId).toBe(false);
    expect(await acme.account(access)).toEqual({
      id: "acme-app",
      name: "acme-app",
      kind: null,
      region: "us",
    });
    expect(await open(BOTH, { org: "globex" }).account(access)).toMatchObject({
      id: "everybody",
      region: null,
    });
  });

  test("asks for consent as the guide says", () => {
    expect(open(BOTH).authorization).toEqual({
      authorizeUrl: "https://www.smartrecruiters.com/identity/oauth/allow",
      tokenUrl: "https://www.smartrecruiters.com/identity/oauth/token",
      revokeUrl: null,
      introspectUrl: null,
      clientId: "acme-app",
      orgClientIdKey: "smartrecruiters_client_id",
      isOrgsClientId: true,
      clientSecretName: "smartrecruiters.client-secret",
      scopes: [
        "candidates:read",
        "candidates:write",
        "assessments:read",
        "assessments:write",
        "custom_fields:read",
      ],
      pkce: false,
      redirectPort: 8977,
      redirectPath: "/smartrecruiters/oauth-callback",
      refreshTokenLifeMs: 730 * 24 * 3_600_000,
    });
  });

  test("sends a PKCE challenge where the configuration says so, and else does not", () => {
    for (const environment of ["production", "sandbox"] as const) {
      expect(open(BOTH, { environment }).authorization.pkce).toBe(false);
      const toml = BOTH.replace("[smartrecruiters]", "[smartrecruiters]\npkce = true");
      expect(open(toml, { environment }).authorization.pkce).toBe(true);
    }
  });

  test("keeps the sandbox on hosts of its own", () => {
    const sandbox = open(BOTH, { environment: "sandbox" });
    expect(sandbox.authorization).toMatchObject({
      authorizeUrl: "https://sandbox.smartrecruiters.com/identity/oauth/allow",
      tokenUrl: "https://sandbox.smartrecruiters.com/identity/oauth/token",
      clientId: "acme-app",
    });
    const own = open(
      `${BOTH}[sandbox.smartrecruiters]\nidentity_base = "https://id.example/"\nclient_id = "trial"\nredirect_port = 9001\n`,
      {
        environment: "sandbox",
      },
    );
    expect(own.authorization).toMatchObject({
      authorizeUrl: "https://id.example/identity/oauth/allow",
      clientId: "trial",
      redirectPort: 9001,
    });
  });

  test("is refused for a sandbox that is the production account, and taken with a client id of its own", () => {
    const host = '[sandbox.smartrecruiters]\napi_base = "https://api.smartrecruiters.com/"\n';
    const sandbox = { environment: "sandbox" } as const;
    expect(() => open(BOTH + host, sandbox)).toThrow("the SmartRecruiters sandbox is the production account");
    const { authorization } = open(`${BOTH}${host}client_id = "trial"\n`, sandbox);
    expect(authorization.clientId).toBe("trial");
  });

  test.each(["published", "v201907"])("chooses the published contract as %s, for one org or all", (name) => {
    const published = { tokenUrl: "https://api.smartrecruiters.com/identity/oauth/token" };
    expect(open(`[smartrecruiters]\nprofile = "${name}"\n`).authorization).toMatchObject(published);
    const toml = `[orgs.acme]\nsmartrecruiters_profile = "${name}"\n`;
    expect(open(toml).authorization).toMatchObject(published);
    expect(open(toml, { org: "globex" }).authorization).not.toHaveProperty("methods");
  });

  test("gives the published tokens another host, and the app's name another place", () => {
    const toml = `[smartrecruiters]
profile = "published"
token_host = "identity"
client_auth = "client_secret_basic"
send_redirect_uri = false
`;
    expect(open(toml).authorization).toMatchObject({
      tokenUrl: "https://www.smartrecruiters.com/identity/oauth/token",
      clientAuth: "client_secret_basic",
      sendsRedirectUri: false,
    });
    const sandbox = { environment: "sandbox" } as const;
    expect(open('[smartrecruiters]\nprofile = "published"\n', sandbox).authorization.tokenUrl).toBe(
      "https://api.sandbox.smartrecruiters.com/identity/oauth/token",
    );
  });

  test("puts the callback that people register into the guide's advice", () => {
    const { commonErrors } = open("");
    const uri = "https://hooks.example/smartrecruiters/oauth-callback";
    expect(commonErrors?.redirectUri(uri)).toEqual({
      title: "Invalid OAuth redirect URI",
      cause: "Registered URI doesn't match the callback URL",
      fixes: [
        `Verify SmartRecruiters shows ${uri}`,
        "Check for typos or trailing slashes",
        "Regenerate integration if needed",
      ],
    });
    expect(commonErrors?.scope.title).toBe("Assessment delivery failed (403 Forbidden)");
    expect(commonErrors?.signature.title).toBe("Webhook signature validation failed");
  });
});
