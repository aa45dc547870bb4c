/** What the file's tables say, key by key; a name that is no key's is a fault. */
import { type KeyKind, type KeyValue, orgKeys, type VendorSection } from "./config-keys.ts";
import type { Table } from "./config-file.ts";
import { checkedValue, type Fault } from "./config-value.ts";
import { AppError } from "./errors.ts";
import { nearest } from "./nearest.ts";

/** Where keys stand, and what is said of one that is none. */
export interface Source {
  file: string;
  /** What to type to see all keys while the file, or that variable, names an unknown one. */
  listKeys: (variable?: string) => string;
  /** What to type instead where a key, by its path, is a secret that rests in the vault; null where it is none. */
  setSecret?: (path: string) => string | null;
  fault: Fault;
}

interface Tables extends Source {
  vendors: readonly VendorSection[];
}

/** `{hubspot: {tier}}` → `{"hubspot.tier"}`; refuses what no key is named. */
export function flatten(
  table: Table,
  at: Source & { keys: object; prefix: string },
): Record<string, unknown> {
  const flat: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(table)) {
    const path = at.prefix + name;
    const isTable =
      typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
    const isOurs = Object.keys(at.keys).some((key) => key.startsWith(`${path}.`));
    if (isTable && (isOurs || Object.keys(value).length > 0))
      Object.assign(flat, flatten({ ...value }, { ...at, prefix: `${path}.` }));
    else if (Object.hasOwn(at.keys, path)) flat[path] = value;
    else at.fault(unknownKey(path, [...Object.keys(at.keys), "orgs", "sandbox"], at));
  }
  return flat;
}

export function orgTables(
  orgs: unknown,
  { vendors, ...source }: Tables,
): Record<string, Record<string, KeyValue>> {
  const keys = orgKeys(vendors);
  const read = Object.entries(asTable(orgs, "orgs", source)).map(([slug, table]) => [
    slug,
    checkedTable(table, keys, { ...source, section: `orgs.${slug}` }),
  ]);
  return Object.fromEntries(read);
}

export function sandboxTables(
  sandbox: unknown,
  { vendors, ...source }: Tables,
): Record<string, Record<string, KeyValue>> {
  const read = Object.entries(asTable(sandbox, "sandbox", source)).flatMap(([name, table]) => {
    const known = vendors.find(({ vendor }) => vendor === name);
    if (known)
      return [[name, checkedTable(table, known.keys.sandbox, { ...source, section: `sandbox.${name}` })]];
    const names = vendors.map(({ vendor }) => `sandbox.${vendor}`);
    source.fault(unknownKey(`sandbox.${name}`, names, source));
    return [];
  });
  return Object.fromEntries(read);
}

function checkedTable(
  table: unknown,
  keys: Readonly<Record<string, KeyKind>>,
  { section, ...source }: Source & { section: string },
): Record<string, KeyValue> {
  const entries = Object.entries(asTable(table, section, source)).flatMap(([name, value]) => {
    const path = `${section}.${name}`;
    const key = Object.hasOwn(keys, name) ? keys[name] : undefined;
    if (key) {
      const valid = checkedValue(source, value, key, path);
      return valid === undefined ? [] : [[name, valid]];
    }
    const known = Object.keys(keys).map((one) => `${section}.${one}`);
    source.fault(unknownKey(path, known, source));
    return [];
  });
  return Object.fromEntries(entries);
}

function asTable(value: unknown, path: string, { fault }: Source): Table {
  if (value === undefined) return {};
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  fault(new AppError("CONFIG_INVALID", `${path} must be a table`, { hint: `Write [${path}.NAME]` }));
  return {};
}

function unknownKey(path: string, known: readonly string[], { file, listKeys, setSecret }: Source): AppError {
  const instead = setSecret?.(path) ?? null;
  if (instead !== null) return misplaced(`${file}: ${path}`, instead);
  const guess = nearest(path, known);
  return new AppError("CONFIG_INVALID", `${file}: unknown key ${path}`, {
    hint: guess ? `Did you mean ${guess}?` : `${listKeys()} lists all keys.`,
  });
}

export function misplaced(what: string, instead: string): AppError {
  return new AppError("CONFIG_INVALID", `${what} is a secret, and secrets rest in the vault alone`, {
    hint: `${instead}, and take it out there.`,
  });
}
