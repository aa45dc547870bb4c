/**
 * Every configuration key that is no vendor's, its kind and its default. With the keys that each vendor declares it is the
 * one table behind the file, the environment (`JC_` + the path in capitals), `config show` and the error for a mistyped key.
 */
export type KeyKind =
  /** `holds`: what `config check` looks at beyond the text. */
  | { kind: "text"; holds?: "file" | "directory" }
  /** https, or http on this very machine. */
  | { kind: "url" }
  | { kind: "number"; min: number; max: number }
  | { kind: "yes-no" }
  | { kind: "choice"; of: readonly string[] }
  /** Some of these, as a list or with commas between; kept as `properties, note`. */
  | { kind: "choices"; of: readonly string[] }
  /** As `5m`, `90s`, `2h`; kept in ms. */
  | { kind: "duration" }
  /** As `02:00`, UTC; kept in minutes since midnight. */
  | { kind: "time-of-day" }
  /** `host:port`; with `mayBeNone` also `none`. */
  | { kind: "address"; mayBeNone?: true }
  /** Addresses and networks, as a list or with commas between; kept as `10.0.0.0/8, ::1`. */
  | { kind: "networks" };

export type KeyValue = string | number | boolean;
export type KeyWithDefault = KeyKind & { default: KeyValue };

const FILE = { kind: "text", holds: "file", default: "" } as const;
export const text = (value = "") => ({ kind: "text", default: value }) as const;
export const url = (value: string) => ({ kind: "url", default: value }) as const;
export const port = (value: number) => ({ kind: "number", min: 1, max: 65_535, default: value }) as const;
export const TEXT = { kind: "text" } as const;
export const URL_KEY = { kind: "url" } as const;
export const PORT = { kind: "number", min: 1, max: 65_535 } as const;
export const REGION = { kind: "choice", of: ["eu", "us"] } as const;

export const KEYS = {
  org: text("default"),
  "jobcannon.result_base": url("https://jobcannon.io"),
  "jobcannon.invites_url": url(""),
  "serve.listen": { kind: "address", default: "127.0.0.1:8470" },
  "serve.admin_listen": { kind: "address", mayBeNone: true, default: "127.0.0.1:8471" },
  "serve.admin_url": url(""),
  "serve.max_connections": { kind: "number", min: 16, max: 2_048, default: 1_024 },
  "serve.trusted_proxies": { kind: "networks", default: "" },
  "serve.public_url": url("https://api.jobcannon.io"),
  "serve.tls_cert": FILE,
  "serve.tls_key": FILE,
  "schedule.retry_every": { kind: "duration", default: 300_000 },
  "schedule.sweep_at": { kind: "time-of-day", default: 120 },
  "retention.days": { kind: "number", min: 1, max: 36_500, default: 90 },
  "backup.dir": { kind: "text", holds: "directory", default: "backups" },
  "backup.keep_daily": { kind: "number", min: 1, max: 3_650, default: 7 },
  "backup.keep_weekly": { kind: "number", min: 0, max: 520, default: 4 },
  "alerts.telegram.chat_id": text(),
  "alerts.telegram.api_base": url("https://api.telegram.org"),
  "metrics.org_label": { kind: "yes-no", default: true },
  "network.ca_file": FILE,
  "vault.backend": { kind: "choice", of: ["keychain", "sealed"], default: "keychain" },
  "vault.key_file": text(),
  "store.url": text("sqlite:"),
  "store.direct_url": text(),
  "store.ca_file": FILE,
  "store.region": { ...REGION, default: "eu" },
  "log.level": { kind: "choice", of: ["debug", "info", "warn", "error"], default: "info" },
  "log.format": { kind: "choice", of: ["text", "json"], default: "text" },
} as const satisfies Record<string, KeyWithDefault>;

/** What one org has of its own, under `[orgs.<slug>]`. */
export const ORG_KEYS = {
  retention_days: { kind: "number", min: 1, max: 36_500 },
  residency: REGION,
  telegram_chat_id: TEXT,
} as const satisfies Record<string, KeyKind>;

/** The keys of one vendor, without its name. */
export interface VendorKeys {
  /** `tier` stands under `[hubspot]`. */
  global: Readonly<Record<string, KeyWithDefault>>;
  /** `tier` stands under `[orgs.<slug>]` as `hubspot_tier`. */
  org: Readonly<Record<string, KeyKind>>;
  /** `api_base` stands under `[sandbox.hubspot]`; one with a default never falls back to production's value. */
  sandbox: Readonly<Record<string, KeyKind & { default?: KeyValue }>>;
}

/** As much of a vendor's declaration as the configuration is made of. */
export interface VendorSection<Keys extends VendorKeys = VendorKeys> {
  vendor: string;
  keys: Keys;
}

/** All keys by their paths, in the order in which people see them. */
export function globalKeys(vendors: readonly VendorSection[]): Readonly<Record<string, KeyWithDefault>> {
  const { org, ...rest } = KEYS;
  return { org, ...namedBy(vendors, ({ vendor, keys }) => [`${vendor}.`, keys.global]), ...rest };
}

/** All keys of an org's table. */
export function orgKeys(vendors: readonly VendorSection[]): Readonly<Record<string, KeyKind>> {
  return { ...ORG_KEYS, ...namedBy(vendors, ({ vendor, keys }) => [`${vendor}_`, keys.org]) };
}

export const variableOf = (path: string) => `JC_${path.toUpperCase().replaceAll(".", "_")}`;

function namedBy<Key>(
  vendors: readonly VendorSection[],
  keysOf: (vendor: VendorSection) => [prefix: string, keys: Readonly<Record<string, Key>>],
): Record<string, Key> {
  const named = vendors
    .map(keysOf)
    .flatMap(([prefix, keys]) => Object.entries(keys).map(([name, key]) => [prefix + name, key] as const));
  return Object.fromEntries(named);
}

export type ValueOf<Key extends KeyKind> = Key extends { kind: "choice"; of: readonly (infer Choice)[] }
  ? Choice
  : Key extends { kind: "number" | "duration" | "time-of-day" }
    ? number
    : Key extends { kind: "yes-no" }
      ? boolean
      : string;

export type KeyName = keyof typeof KEYS;
export type Values<Keys extends Record<string, KeyKind>> = { [Name in keyof Keys]: ValueOf<Keys[Name]> };
