/** A portal of the emulator, connected, for tests of what is said over HTTP. */
import { UNCOUNTED } from "../../../src/flows/account/rate-window.ts";
import * as v from "valibot";
import { onTestFinished } from "vitest";
import { startEmulator } from "../../../src/emulator/emulator.ts";
import { createHttp } from "../../../src/shared/http.ts";
import { type Secret, secret } from "../../../src/shared/secret.ts";
import type { Destination, Update } from "../../../src/vendors/contract/destination.ts";
import type { Access } from "../../../src/vendors/contract/access.ts";
import { createHubspot } from "../../../src/vendors/hubspot/hubspot.ts";
import type { ApiVersion } from "../../../src/vendors/hubspot/versions.ts";
import { type EmulatedHubspot, emulated } from "../../emulated.ts";
import { type FakeClock, fakeClock } from "../../fake-clock.ts";

export interface Portal extends EmulatedHubspot {
  hubspot: Destination;
  access: Access;
  clock: FakeClock;
  /** How often a new token was asked for since the first. */
  renewals(): number;
  /** Calls the portal's API as its own admin would. */
  call(method: string, path: string, body: unknown): Promise<number>;
}

const Tokens = v.object({ access_token: v.string(), refresh_token: v.string() });
export async function openPortal({ apiVersion = "v3" }: { apiVersion?: ApiVersion } = {}): Promise<Portal> {
  const clock = fakeClock();
  const emulator = await startEmulator({ port: 0, autoApprove: true, hubspotLimit: "none", clock });
  const http = createHttp({ caFile: null, proxy: null });
  onTestFinished(async () => {
    await http.close();
    await emulator.close();
  });
  const hubspot = createHubspot(
    {
      apiBase: emulator.hubspot,
      authorizeUrl: `${emulator.hubspot}/oauth/authorize`,
      apiVersion,
      clientId: "app-1",
      pkce: false,
      redirectPort: 8976,
      resultBase: "https://jobcannon.io",
      tier: "none",
    },
    http,
    clock,
  );
  let token = await consent(hubspot);
  let renewals = 0;
  const live = async (renewed: boolean): Promise<Secret> => {
    if (renewed) {
      renewals += 1;
      token = await consent(hubspot);
    }
    return secret(token);
  };
  return {
    ...emulated(emulator).hubspot,
    hubspot,
    clock,
    access: {
      signal: new AbortController().signal,
      token: (options) => live(options?.renewed ?? false),
      slot: async () => UNCOUNTED,
      heed: async () => {},
    },
    renewals: () => renewals,
    call: async (method, path, body) => {
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const answer = await fetch(emulator.hubspot + path, { method, headers, body: JSON.stringify(body) });
      return answer.status;
    },
  };
}

/** Goes through the consent page, which approves by itself, and exchanges the code. */
async function consent({ authorization }: Destination): Promise<string> {
  const { authorizeUrl, tokenUrl, clientId, scopes, redirectPort, redirectPath } = authorization;
  const redirectUri = `http://localhost:${redirectPort}${redirectPath}`;
  const query = new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirectUri,
    scope: scopes.join(" "),
  });
  const page = await fetch(`${authorizeUrl}?${query}`, { redirect: "manual" });
  const code = new URL(page.headers.get("location") ?? "").searchParams.get("code") ?? "";
  const form = { grant_type: "authorization_code", code, redirect_uri: redirectUri, client_id: clientId };
  const body = new URLSearchParams({ ...form, client_secret: "any" });
  const answer = await fetch(tokenUrl, { method: "POST", body });
  return v.parse(Tokens, await answer.json()).access_token;
}

let updates = 0;

/** An update with a trace id of its own. */
export function anUpdate(
  subject: string,
  projection: Record<string, string> = { jc_iq_score: "120" },
): Update {
  updates += 1;
  return { subject, traceId: `trace-${updates}`, version: updates, projection };
}

/** Creates all fields, as the first connect does. */
export async function bootstrap({ hubspot, access }: Portal): Promise<void> {
  await hubspot.applyFields(access, await hubspot.planFields(access));
}
