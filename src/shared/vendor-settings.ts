import type { Config } from "./config.ts";
import type { ValueOf, VendorKeys, VendorSection } from "./config-keys.ts";

/** What one vendor is configured with for one org and environment, by the names of its keys. */
export type SettingsOf<Keys extends VendorKeys> = {
  readonly [Name in keyof Keys["global"]]: ValueOf<Keys["global"][Name]>;
} & {
  /** Null where the org says nothing and nobody else may. */
  readonly [Name in Exclude<keyof Keys["org"], keyof Keys["global"]>]: ValueOf<Keys["org"][Name]> | null;
};

/** The sandbox's own value, in the sandbox; else the org's, else everybody's. */
export function settingsOf<Keys extends VendorKeys>(
  config: Config,
  { vendor, keys }: VendorSection<Keys>,
  { org, environment }: { org: string; environment: "production" | "sandbox" },
): SettingsOf<Keys> {
  const everybodys: Readonly<Record<string, unknown>> = config;
  const ofOrg: Readonly<Record<string, unknown>> = config.orgs[org] ?? {};
  const ofSandbox = environment === "sandbox" ? (config.sandbox[vendor] ?? {}) : {};
  const names = [keys.global, keys.org].flatMap((table) => Object.keys(table));
  const values = names.map((name) => {
    const ofVendorsSandbox = environment === "sandbox" ? keys.sandbox[name]?.default : undefined;
    const value =
      ofSandbox[name] ?? ofVendorsSandbox ?? ofOrg[`${vendor}_${name}`] ?? everybodys[`${vendor}.${name}`];
    return [name, value ?? null];
  });
  // The configuration was checked by these very keys when it was read.
  return Object.fromEntries(values) as SettingsOf<Keys>;
}

/** Is the value the org's own? */
export function isOrgsOwn(
  config: Config,
  { vendor, keys, name }: VendorSection<VendorKeys> & { name: string },
  { org, environment }: { org: string; environment: "production" | "sandbox" },
): boolean {
  const ofOrg: Readonly<Record<string, unknown>> = config.orgs[org] ?? {};
  const ofSandbox: unknown = config.sandbox[vendor]?.[name] ?? keys.sandbox[name]?.default;
  const isHidden = environment === "sandbox" && ofSandbox !== undefined;
  return !isHidden && (ofOrg[`${vendor}_${name}`] ?? null) !== null;
}
