import { onTestFinished } from "vitest";
import { type Emulator, type EmulatorOptions, startEmulator } from "../../src/emulator/emulator.ts";
import type { TokenIssuer } from "../../src/oauth/endpoint/issuer.ts";
import { emulated } from "../emulated.ts";
import { createHttp, type Http } from "../../src/shared/http.ts";

/** Where the token endpoint is. */
export const TOKEN_PATH = "/oauth/v3/token";
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
  const http = createHttp({ caFile: null, proxy: null });
  onTestFinished(() => http.close());
  return http;
}

/** HubSpot's side, and how often its token endpoint was asked. */
export function controlOf(emulator: Emulator) {
  const { hubspot } = emulated(emulator);
  return {
    ...hubspot,
    tokenCalls: async () => (await hubspot.requests({ from: TOKEN_PATH, to: TOKEN_PATH })).length,
  };
}
