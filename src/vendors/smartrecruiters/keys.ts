/** What SmartRecruiters is configured with. */
import { PORT, port, REGION, TEXT, text, url, type VendorKeys } from "../../shared/config-keys.ts";

/** Where the profile "published" brings results. */
export const RESULTS = ["properties", "note"] as const;
export type ResultsTo = (typeof RESULTS)[number];

const PROFILE = { kind: "choice", of: ["v1", "published", "v201907"] } as const;

export const KEYS = {
  global: {
    client_id: text(),
    api_base: url("https://api.smartrecruiters.com"),
    identity_base: url("https://www.smartrecruiters.com"),
    profile: { ...PROFILE, default: "v1" },
    // Nobody knows whether the vendor ignores a challenge that it does not expect.
    pkce: { kind: "yes-no", default: false },
    // What the vendor's documents leave open, for the profile "published".
    client_auth: {
      kind: "choice",
      of: ["client_secret_post", "client_secret_basic"],
      default: "client_secret_post",
    },
    token_host: { kind: "choice", of: ["api", "identity"], default: "api" },
    calls_per_second: { kind: "number", min: 1, max: 1_000, default: 10 },
    on_suspension: { kind: "choice", of: ["reactivate", "renew", "tell"], default: "reactivate" },
    send_redirect_uri: { kind: "yes-no", default: true },
    results: { kind: "choices", of: RESULTS, default: "properties, note" },
    redirect_port: port(8977),
  },
  /** Each customer has an app of its own, and declares its region: the API does not tell it. */
  org: { client_id: TEXT, profile: PROFILE, region: REGION },
  /** The guide's host for people; that of the API is seen in practice. */
  sandbox: {
    client_id: TEXT,
    api_base: url("https://api.sandbox.smartrecruiters.com"),
    identity_base: url("https://sandbox.smartrecruiters.com"),
    redirect_port: PORT,
  },
} as const satisfies VendorKeys;
