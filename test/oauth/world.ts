import { onTestFinished } from "vitest";
import { type Emulator, type EmulatorOptions, startEmulator } from "../../src/emulator/emulator.ts";
import type { TokenIssuer } from "../../src/oauth/endpoint/issuer.ts";
import { createHttp, type Http } from "../../src/shared/http.ts";

export const SCOPES = ["oauth", "crm.objects.contacts.read", "crm.objects.contacts.write"];

/** HubSpot as the emulator plays it, ending with the test. */
export async function emulatedIssuer(options: EmulatorOptions = { autoApprove: true }) {
  const emulator = await startEmulator(options);
  onTestFinished(() => emulator.close());
  return { emulator, issuer: issuerAt(emulator.hubspot) };
}

export function issuerAt(base: string, change: Partial<TokenIssuer["authorization"]> = {}): TokenIssuer {
  return {
    vendor: "hubspot",
    label: "HubSpot",
    authorization: {
      authorizeUrl: `${base}/oauth/authorize`,
      tokenUrl: `${base}/oauth/v3/token`,
      revokeUrl: `${base}/oauth/v3/token/revoke`,
      introspectUrl: null,
      clientId: "app-1",
      clientSecretName: "hubspot.client-secret",
      scopes: SCOPES,
      pkce: true,
      refreshTokenLifeMs: null,
      redirectPort: 0,
      redirectPath: "/hubspot/oauth-callback",
      ...change,
    },
  };
}

export function testHttp(): Http {
  const http = createHttp({ caFile: null, httpProxy: null, httpsProxy: null, noProxy: null });
  onTestFinished(() => http.close());
  return http;
}

/** Calls of the emulator's control, below `/_control/hubspot`. */
export function controlOf(emulator: Emulator) {
  const base = `${emulator.url}/_control/hubspot`;
  const post = async (path: string, body: object) => {
    const answer = await fetch(base + path, { method: "POST", body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(await answer.text());
  };
  return {
    settings: (change: object) => post("/settings", change),
    fault: (fault: object) => post("/faults", fault),
    clearFaults: () => fetch(`${base}/faults`, { method: "DELETE" }),
    /** How often the token endpoint was asked. */
    tokenCalls: async () => {
      const requests: unknown = await (await fetch(`${base}/requests`)).json();
      return Array.isArray(requests) ? requests.filter(({ path }) => path === "/oauth/v3/token").length : 0;
    },
  };
}
