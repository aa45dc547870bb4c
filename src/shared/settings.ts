/** A configuration setting by setting, each with its key; and which of them have no effect. Pure. */
import type { Config } from "./config.ts";
import {
  globalKeys,
  type KeyKind,
  type KeyValue,
  NOT_BUILT,
  orgKeys,
  type VendorSection,
} from "./config-keys.ts";

/** In words, one line for each setting that nothing in this version heeds. */
export function withoutEffect(config: Config, vendors: readonly VendorSection[]): string[] {
  return settingsIn(config, vendors)
    .filter(({ path, value, key }) => {
      const isOff = NOT_BUILT.includes(path.replace(/^orgs\..*\.(\w+)$/, "orgs.*.$1"));
      return isOff && (!("default" in key) || key.default !== value);
    })
    .map(
      ({ path, value }) =>
        `${path} = ${JSON.stringify(value)} has no effect yet: this version does not heed it`,
    );
}

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
