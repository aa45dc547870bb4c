/** A configuration setting by setting, each with its key. Pure. */
import type { Config } from "./config.ts";
import { globalKeys, type KeyKind, type KeyValue, orgKeys, type VendorSection } from "./config-keys.ts";

export interface Setting {
  path: string;
  value: KeyValue;
  key: KeyKind & { default?: KeyValue };
}

export function settingsIn(config: Config, vendors: readonly VendorSection[]): Setting[] {
  const values: Readonly<Record<string, unknown>> = config;
  const everybodys = Object.entries(globalKeys(vendors)).map(([path, key]) => ({
    path,
    key,
    value: values[path],
  }));
  const orgs = Object.entries(config.orgs).flatMap(([org, table]) =>
    inTable(`orgs.${org}`, table, orgKeys(vendors)),
  );
  const sandboxes = vendors.flatMap(({ vendor, keys }) =>
    inTable(`sandbox.${vendor}`, config.sandbox[vendor] ?? {}, keys.sandbox),
  );
  return [...everybodys, ...orgs, ...sandboxes].flatMap(({ value, ...rest }) =>
    typeof value === "string" || typeof value === "number" || typeof value === "boolean"
      ? [{ ...rest, value }]
      : [],
  );
}

/** What a table of its own says is set, be it the default or not. */
function inTable(
  section: string,
  table: Readonly<Record<string, unknown>>,
  keys: Readonly<Record<string, KeyKind>>,
) {
  return Object.entries(keys).map(([name, { ...key }]) => ({
    path: `${section}.${name}`,
    key,
    value: table[name],
  }));
}
