/** An account of the emulator behind a vendor as the program opens it: through its declaration, over real HTTP. */
import * as v from "valibot";
import { onTestFinished } from "vitest";
import { listKeysCommand } from "../../../src/core/advice/command-lines.ts";
import type { Authorization } from "../../../src/core/authorization.ts";
import { startEmulator } from "../../../src/emulator/emulator.ts";
import { loadConfig } from "../../../src/shared/config.ts";
import { variableOf } from "../../../src/shared/config-keys.ts";
import { createHttp } from "../../../src/shared/http.ts";
import { type Secret, secret } from "../../../src/shared/secret.ts";
import type { Access } from "../../../src/vendors/contract/access.ts";
import type { VendorDeclaration } from "../../../src/vendors/contract/declaration.ts";
import type { VendorOptions } from "../../../src/vendors/contract/destination.ts";
import { VENDORS } from "../../../src/vendors/index.ts";
import { type EmulatedVendor, emulatedVendor } from "../../emulated.ts";
import { type FakeClock, fakeClock } from "../../fake-clock.ts";

export interface EmulatedAccount {
  options: VendorOptions;
  /** The emulator's own address of this vendor. */
  url: string;
  emulatorUrl: string;
  control: EmulatedVendor<never>;
  clock: FakeClock;
}

/** `settings`: keys of the vendor's section beside those that lead to the emulator. */
export async function emulatedAccount(
  { vendor, emulated }: VendorDeclaration,
  settings: Readonly<Record<string, string>>,
): Promise<EmulatedAccount> {
  const clock = fakeClock();
  const emulator = await startEmulator({ port: 0, autoApprove: true, hubspotLimit: "none", clock });
  const http = createHttp({ caFile: null, proxy: null });
  onTestFinished(async () => {
    await http.close();
    await emulator.close();
  });
  const url = `${emulator.url}/${vendor}`;
  const hosts = Object.entries(emulated).map(([key, path]) => [key, url + path]);
  const env = Object.fromEntries(
    [...hosts, ...Object.entries(settings)].map(([key, value]) => [variableOf(`${vendor}.${key}`), value]),
  );
  const config = loadConfig({
    ...{ file: "/nowhere", isRequired: false, env, flags: {}, vendors: VENDORS },
    listKeys: listKeysCommand,
  });
  const options = { config, org: "acme", environment: "production", http, clock } as const;
  return { options, url, emulatorUrl: emulator.url, control: emulatedVendor(emulator, vendor), clock };
}

/** What a test sees of the calls that were made with it, and what it may change. */
export interface WatchedAccess extends Access {
  slots: number;
  /** Calls that were not told to have ended. */
  open: number;
  renewals: number;
  /** What `token()` gives, or throws. */
  give(options: { renewed: boolean }): Promise<Secret>;
}

export function watchedAccess(give: WatchedAccess["give"], signal?: AbortSignal): WatchedAccess {
  const access: WatchedAccess = {
    signal: signal ?? new AbortController().signal,
    slots: 0,
    open: 0,
    renewals: 0,
    give,
    token: async (options) => {
      if (options?.renewed) access.renewals += 1;
      return await access.give({ renewed: options?.renewed === true });
    },
    slot: async () => {
      access.slots += 1;
      access.open += 1;
      return {
        ended: async () => {
          access.open -= 1;
        },
      };
    },
    heed: async () => {},
  };
  return access;
}

/** Goes through the consent page, which approves by itself, and exchanges the code. */
export async function consent(authorization: Authorization): Promise<Secret> {
  const { authorizeUrl, tokenUrl, clientId, scopes, redirectPort, redirectPath } = authorization;
  const redirectUri = `http://localhost:${redirectPort}${redirectPath}`;
  const query = new URLSearchParams({
    ...{ response_type: "code", client_id: clientId, redirect_uri: redirectUri },
    ...{ scope: scopes.join(" "), state: "s" },
  });
  const page = await fetch(`${authorizeUrl}?${query}`, { redirect: "manual" });
  const code = new URL(page.headers.get("location") ?? "").searchParams.get("code") ?? "";
  const form = { grant_type: "authorization_code", code, redirect_uri: redirectUri, client_id: clientId };
  const body = new URLSearchParams({ ...form, client_secret: "any" });
  const answer = await fetch(tokenUrl, { method: "POST", body });
  return secret(v.parse(v.object({ access_token: v.string() }), await answer.json()).access_token);
}
