import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { parse } from "smol-toml";
import {
  globalKeys,
  type KEYS,
  type KeyKind,
  type KeyName,
  type KeyValue,
  type ORG_KEYS,
  orgKeys,
  type Values,
  type VendorSection,
  variableOf,
} from "./config-keys.ts";
import { AppError } from "./errors.ts";
import { nearest } from "./nearest.ts";

/** Configuration: flag over environment over file over default. Holds no secret. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** By the names scripts rely on, as `config["serve.listen"]`; what vendors declared is read by `settingsOf`. */
export type Config = Values<typeof KEYS> & {
  orgs: Readonly<Record<string, Partial<Values<typeof ORG_KEYS>>>>;
  sandbox: Readonly<Record<string, Readonly<Record<string, KeyValue>>>>;
  /** Where each value comes from, for `config show`. */
  origins: Readonly<Record<string, string>>;
  /** The file that was read, and its text; null when there is none. */
  file: string | null;
  text: string | null;
};

type Table = Record<string, unknown>;
type ListKeys = (variable?: string) => string;

/** `file`: read if it exists; a missing one is an error only when `isRequired` (the operator named it). */
export function loadConfig(options: {
  file: string;
  isRequired: boolean;
  env: Environment;
  flags: Partial<Record<KeyName, string>>;
  vendors: readonly VendorSection[];
  /** What to type to see all keys while the file, or that variable, names an unknown one. */
  listKeys: ListKeys;
}): Config {
  const { file, listKeys } = options;
  const keys = globalKeys(options.vendors);
  const text = readText(file, options.isRequired);
  const { orgs, sandbox, ...rest } = text === null ? {} : parseToml(text, file);
  const fromFile = flatten(rest, { keys, prefix: "", file, listKeys });
  refuseUnknownVariables(options.env, { keys, listKeys });
  const values: Record<string, KeyValue> = {};
  const origins: Record<string, string> = {};
  for (const [name, key] of Object.entries(keys)) {
    const variable = variableOf(name);
    const candidates: [unknown, string][] = [
      [options.flags[name as KeyName], `--${name}`],
      [options.env[variable] || undefined, variable],
      [fromFile[name], options.file],
    ];
    const [value, origin] = candidates.find(([candidate]) => candidate !== undefined) ?? [
      undefined,
      "default",
    ];
    values[name] = value === undefined ? key.default : check(value, key, `${name} (${origin})`);
    origins[name] = origin;
  }
  const config = {
    ...(values as Values<typeof KEYS>),
    orgs: orgTables(orgs, options),
    sandbox: sandboxTables(sandbox, options),
    origins,
    file: text === null ? null : options.file,
    text,
  };
  refusePostgres(config);
  return config;
}

/** The keys, and the tables of orgs and sandboxes, whose values differ. */
export function changedKeys(before: Config, after: Config): string[] {
  const values = (config: Config): Record<string, unknown> => ({ ...config });
  const [old, next] = [values(before), values(after)];
  const names = [...Object.keys(after.origins), "orgs", "sandbox"];
  return names.filter((name) => JSON.stringify(old[name]) !== JSON.stringify(next[name]));
}

/** A mistyped variable would silently leave its key at the default. Only those that name a section are ours. */
function refuseUnknownVariables(
  env: Environment,
  { keys, listKeys }: { keys: object; listKeys: ListKeys },
): void {
  const known = Object.keys(keys).map(variableOf);
  const sections = new Set(
    known.map((variable) => variable.split("_").slice(0, 2).join("_")).filter((one) => one !== "JC_ORG"),
  );
  for (const variable of Object.keys(env)) {
    const section = variable.split("_").slice(0, 2).join("_");
    if (known.includes(variable) || section === variable || !sections.has(section)) continue;
    const guess = nearest(variable, known);
    throw new AppError("CONFIG_INVALID", `the environment sets the unknown key ${variable}`, {
      hint: guess ? `Did you mean ${guess}?` : `${listKeys(variable)} lists all keys.`,
    });
  }
}

function refusePostgres(config: Pick<Config, "store.url">): void {
  if (config["store.url"] === "sqlite:") return;
  const isPostgres = /^postgres(ql)?:/.test(config["store.url"]);
  throw new AppError(
    "CONFIG_INVALID",
    isPostgres ? "store.url: PostgreSQL is not supported yet" : "store.url must be sqlite:",
    {
      hint: 'Set store.url = "sqlite:"; the log then rests in the state directory.',
    },
  );
}

function readText(file: string, isRequired: boolean): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const isMissing =
      cause instanceof Error && "code" in cause && (cause.code === "ENOENT" || cause.code === "ENOTDIR");
    if (isMissing && !isRequired) return null;
    throw new AppError("CONFIG_INVALID", `${file} cannot be read`, {
      hint: "Check --config and who may read it.",
      cause,
    });
  }
}

function parseToml(text: string, file: string): Table {
  try {
    return parse(text);
  } catch (cause) {
    // The parser's own message quotes the line, which may hold what should not be shown: keep to its place.
    const place = cause instanceof Error && "line" in cause ? `, line ${String(cause.line)}` : "";
    throw new AppError("CONFIG_INVALID", `${file}${place}: this is no TOML`, {
      hint: 'Texts need quotes: org = "acme"',
    });
  }
}

/** `{hubspot: {tier}}` → `{"hubspot.tier"}`; refuses what no key is named. */
function flatten(table: Table, at: Source & { keys: object; prefix: string }): Record<string, unknown> {
  const flat: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(table)) {
    const path = at.prefix + name;
    const isTable =
      typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
    if (isTable) Object.assign(flat, flatten({ ...value }, { ...at, prefix: `${path}.` }));
    else if (Object.hasOwn(at.keys, path)) flat[path] = value;
    else throw unknownKey(path, [...Object.keys(at.keys), "orgs", "sandbox"], at);
  }
  return flat;
}

interface Source {
  file: string;
  listKeys: ListKeys;
}

interface Tables extends Source {
  vendors: readonly VendorSection[];
}

function orgTables(orgs: unknown, { vendors, ...source }: Tables): Config["orgs"] {
  const keys = orgKeys(vendors);
  const read = Object.entries(asTable(orgs, "orgs")).map(([slug, table]) => [
    slug,
    checkedTable(table, keys, { ...source, section: `orgs.${slug}` }),
  ]);
  return Object.fromEntries(read);
}

function sandboxTables(sandbox: unknown, { vendors, ...source }: Tables): Config["sandbox"] {
  const read = Object.entries(asTable(sandbox, "sandbox")).map(([name, table]) => {
    const known = vendors.find(({ vendor }) => vendor === name);
    if (!known)
      throw unknownKey(
        `sandbox.${name}`,
        vendors.map(({ vendor }) => `sandbox.${vendor}`),
        source,
      );
    return [name, checkedTable(table, known.keys.sandbox, { ...source, section: `sandbox.${name}` })];
  });
  return Object.fromEntries(read);
}

function checkedTable(
  table: unknown,
  keys: Readonly<Record<string, KeyKind>>,
  { section, ...source }: Source & { section: string },
): Record<string, KeyValue> {
  const entries = Object.entries(asTable(table, section)).map(([name, value]) => {
    const path = `${section}.${name}`;
    const key = Object.hasOwn(keys, name) ? keys[name] : undefined;
    if (key) return [name, check(value, key, path)];
    throw unknownKey(
      path,
      Object.keys(keys).map((known) => `${section}.${known}`),
      source,
    );
  });
  return Object.fromEntries(entries);
}

function asTable(value: unknown, path: string): Table {
  if (value === undefined) return {};
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw new AppError("CONFIG_INVALID", `${path} must be a table`, { hint: `Write [${path}.NAME]` });
}

function unknownKey(path: string, known: readonly string[], { file, listKeys }: Source): AppError {
  const guess = nearest(path, known);
  return new AppError("CONFIG_INVALID", `${file}: unknown key ${path}`, {
    hint: guess ? `Did you mean ${guess}?` : `${listKeys()} lists all keys.`,
  });
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

function check(value: unknown, key: KeyKind, where: string): KeyValue {
  const wrong = (expected: string) => new AppError("CONFIG_INVALID", `${where} must be ${expected}`);
  const written = typeof value === "bigint" ? Number(value) : value;
  switch (key.kind) {
    case "text":
      if (typeof written === "string" || typeof written === "number") return String(written);
      throw wrong("a text");
    case "choice":
      if (typeof written === "string" && key.of.includes(written)) return written;
      throw wrong(`one of ${key.of.join(", ")}`);
    case "yes-no":
      if (written === true || written === "true") return true;
      if (written === false || written === "false") return false;
      throw wrong("true or false");
    case "number": {
      const number = typeof written === "string" && /^\d+$/.test(written) ? Number(written) : written;
      if (typeof number === "number" && Number.isInteger(number) && number >= key.min && number <= key.max)
        return number;
      throw wrong(`a whole number from ${key.min} to ${key.max}`);
    }
    case "duration": {
      const match = typeof written === "string" ? /^(\d+)([smh])$/.exec(written) : null;
      const ms = Number(match?.[1]) * (UNIT_MS[match?.[2] ?? ""] ?? Number.NaN);
      if (ms > 0) return ms;
      throw wrong("a duration, as 5m");
    }
    case "time-of-day": {
      const match = typeof written === "string" ? /^([01]\d|2[0-3]):([0-5]\d)$/.exec(written) : null;
      if (match) return Number(match[1]) * 60 + Number(match[2]);
      throw wrong("a time of day in UTC, as 02:00");
    }
    case "address":
      if (typeof written === "string" && /^(\[[0-9a-f:]+\]|[^\s:]+):\d{1,5}$/i.test(written)) return written;
      throw wrong("host:port, as 127.0.0.1:8470");
    case "networks": {
      const all = Array.isArray(written)
        ? written
        : typeof written === "string"
          ? written.split(",")
          : [null];
      const networks = all.map((each) => (typeof each === "string" ? each.trim() : null));
      const isWell = (each: string | null) =>
        each !== null && (isNetwork(each) || (networks.length === 1 && each === ""));
      if (networks.every(isWell)) return networks.join(", ");
      throw wrong('addresses or networks, as ["127.0.0.1", "10.0.0.0/8"]');
    }
  }
}

function isNetwork(text: string): boolean {
  const [, address = "", bits = "0"] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  return family !== 0 && Number(bits) <= (family === 6 ? 128 : 32);
}
