/** What HubSpot is configured with. */
import { PORT, port, TEXT, text, URL_KEY, url, type VendorKeys } from "../../shared/config-keys.ts";
import { API_VERSIONS } from "./versions.ts";

const TIER = { kind: "choice", of: ["free", "paid", "marketplace", "none"] } as const;
/** Whether a contact that was deleted in the portal comes back with the next result. */
const RECREATE = { kind: "choice", of: ["always", "never"] } as const;

export const KEYS = {
  global: {
    client_id: text(),
    api_base: url("https://api.hubapi.com"),
    authorize_url: url("https://app.hubspot.com/oauth/authorize"),
    api_version: { kind: "choice", of: API_VERSIONS, default: "v3" },
    tier: { ...TIER, default: "free" },
    recreate: { ...RECREATE, default: "always" },
    pkce: { kind: "yes-no", default: true },
    redirect_port: port(8976),
  },
  org: { tier: TIER, recreate: RECREATE },
  /** A sandbox is another portal, with an app of its own. */
  sandbox: { client_id: TEXT, api_base: URL_KEY, authorize_url: URL_KEY, redirect_port: PORT },
} as const satisfies VendorKeys;

export type Recreate = (typeof RECREATE.of)[number];
export type Tier = (typeof TIER.of)[number];
