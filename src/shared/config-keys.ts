/**
 * Every configuration key, its kind and its default: the one table behind the file, the environment
 * (`JC_` + the path in capitals), `config show` and the error for a mistyped key.
 */
export type KeyKind =
  | { kind: "text" }
  | { kind: "number"; min: number; max: number }
  | { kind: "yes-no" }
  | { kind: "choice"; of: readonly string[] }
  /** As `5m`, `90s`, `2h`; kept in ms. */
  | { kind: "duration" }
  /** As `02:00`, UTC; kept in minutes since midnight. */
  | { kind: "time-of-day" }
  /** `host:port`. */
  | { kind: "address" };

const text = (value = "") => ({ kind: "text", default: value }) as const;
const port = (value: number) => ({ kind: "number", min: 1, max: 65_535, default: value }) as const;

export const KEYS = {
  org: text("default"),
  "hubspot.client_id": text(),
  "hubspot.api_base": text("https://api.hubapi.com"),
  "hubspot.authorize_url": text("https://app.hubspot.com/oauth/authorize"),
  "hubspot.api_version": { kind: "choice", of: ["v3", "2026-03", "2026-09"], default: "v3" },
  "hubspot.tier": { kind: "choice", of: ["free", "paid", "marketplace", "none"], default: "free" },
  "hubspot.pkce": { kind: "yes-no", default: true },
  "hubspot.redirect_port": port(8976),
  "smartrecruiters.client_id": text(),
  "smartrecruiters.api_base": text("https://api.smartrecruiters.com"),
  "smartrecruiters.identity_base": text("https://www.smartrecruiters.com"),
  "smartrecruiters.profile": { kind: "choice", of: ["v1", "v201907"], default: "v1" },
  "smartrecruiters.redirect_port": port(8977),
  "jobcannon.result_base": text("https://jobcannon.io"),
  "serve.listen": { kind: "address", default: "127.0.0.1:8470" },
  "serve.admin_listen": { kind: "address", default: "127.0.0.1:8471" },
  "serve.public_url": text("https://api.jobcannon.io"),
  "serve.tls_cert": text(),
  "serve.tls_key": text(),
  "schedule.retry_every": { kind: "duration", default: 300_000 },
  "schedule.sweep_at": { kind: "time-of-day", default: 120 },
  "retention.days": { kind: "number", min: 1, max: 36_500, default: 90 },
  "alerts.telegram.chat_id": text(),
  "alerts.telegram.api_base": text("https://api.telegram.org"),
  "network.ca_file": text(),
  "vault.backend": { kind: "choice", of: ["keychain", "sealed"], default: "keychain" },
  "vault.key_file": text(),
  "store.url": text("sqlite:"),
  "store.region": { kind: "choice", of: ["eu", "us"], default: "eu" },
  "log.level": { kind: "choice", of: ["debug", "info", "warn", "error"], default: "info" },
  "log.format": { kind: "choice", of: ["text", "json"], default: "text" },
} as const satisfies Record<string, KeyKind & { default: string | number | boolean }>;

/** What one org has of its own, under `[orgs.<slug>]`. */
export const ORG_KEYS = {
  retention_days: { kind: "number", min: 1, max: 36_500 },
  residency: { kind: "choice", of: ["eu", "us"] },
  hubspot_tier: { kind: "choice", of: ["free", "paid", "marketplace", "none"] },
  telegram_chat_id: { kind: "text" },
  smartrecruiters_region: { kind: "choice", of: ["eu", "us"] },
  smartrecruiters_client_id: { kind: "text" },
  smartrecruiters_profile: { kind: "choice", of: ["v1", "v201907"] },
} as const satisfies Record<string, KeyKind>;

/** Hosts and client ids of a vendor's sandbox, under `[sandbox.<vendor>]`. */
export const SANDBOX_KEYS = {
  client_id: { kind: "text" },
  api_base: { kind: "text" },
  identity_base: { kind: "text" },
  authorize_url: { kind: "text" },
  redirect_port: { kind: "number", min: 1, max: 65_535 },
} as const satisfies Record<string, KeyKind>;

type ValueOf<Key extends KeyKind> = Key extends { kind: "choice"; of: readonly (infer Choice)[] }
  ? Choice
  : Key extends { kind: "number" | "duration" | "time-of-day" }
    ? number
    : Key extends { kind: "yes-no" }
      ? boolean
      : string;

export type KeyName = keyof typeof KEYS;
export type Values<Keys extends Record<string, KeyKind>> = { [Name in keyof Keys]: ValueOf<Keys[Name]> };
