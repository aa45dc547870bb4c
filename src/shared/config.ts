import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
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
import { AppError, isAppError } from "./errors.ts";
import { nearest } from "./nearest.ts";
import { isPostgres, postgresPlace } from "./store-url.ts";
import { notSafe, safeUrl } from "./url.ts";

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

export interface ConfigOptions {
  file: string;
  isRequired: boolean;
  /** What the file is to hold, where it is not to be read. */
  text?: string;
  env: Environment;
  flags: Partial<Record<KeyName, string>>;
  vendors: readonly VendorSection[];
  /** What to type to see all keys while the file, or that variable, names an unknown one. */
  listKeys: ListKeys;
  /** What to type instead where a key, by its path, is a secret that rests in the vault; null where it is none. */
  setSecret?: (path: string) => string | null;
}

/** Gets what is wrong, one error after the other; the first ends the reading where it throws. */
type Fault = (error: AppError) => void;

/** `file`: read if it exists; a missing one is an error only when `isRequired` (the operator named it). */
export function loadConfig(options: ConfigOptions): Config {
  return readConfig(options, (error) => {
    throw error;
  });
}

/** What is wrong is left out: its key has the default. */
export function readConfig(options: ConfigOptions, fault: Fault): Config {
  const keys = globalKeys(options.vendors);
  const at: Source = { ...options, fault };
  const text = options.text ?? readText(at, options.isRequired);
  const tables = text === null ? [] : tablesIn(text, at);
  const fromFile = Object.assign(
    {},
    ...tables.map(({ orgs: _orgs, sandbox: _sandbox, ...rest }) =>
      flatten(rest, { ...at, keys, prefix: "" }),
    ),
  );
  refuseUnknownVariables(options.env, at, keys);
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
    const valid = value === undefined ? undefined : checkedBy(at, value, key, `${name} (${origin})`);
    values[name] = valid ?? key.default;
    origins[name] = origin;
  }
  const config = {
    ...(values as Values<typeof KEYS>),
    orgs: Object.assign({}, ...tables.map(({ orgs }) => orgTables(orgs, { ...options, fault }))),
    sandbox: Object.assign({}, ...tables.map(({ sandbox }) => sandboxTables(sandbox, { ...options, fault }))),
    origins,
    file: text === null ? null : options.file,
    text,
  };
  checkStore(config, fault);
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
  { fault, listKeys, setSecret }: Source,
  keys: object,
): void {
  const known = Object.keys(keys).map(variableOf);
  const sections = new Set(
    known.map((variable) => variable.split("_").slice(0, 2).join("_")).filter((one) => one !== "JC_ORG"),
  );
  for (const variable of Object.keys(env)) {
    const section = variable.split("_").slice(0, 2).join("_");
    if (known.includes(variable) || section === variable || !sections.has(section)) continue;
    const instead = setSecret?.(variable.replace(/^JC_/, "").toLowerCase()) ?? null;
    const guess = nearest(variable, known);
    fault(
      instead === null
        ? new AppError("CONFIG_INVALID", `the environment sets the unknown key ${variable}`, {
            hint: guess ? `Did you mean ${guess}?` : `${listKeys(variable)} lists all keys.`,
          })
        : misplaced(`the environment's ${variable}`, instead),
    );
  }
}

function misplaced(what: string, instead: string): AppError {
  return new AppError("CONFIG_INVALID", `${what} is a secret, and secrets rest in the vault alone`, {
    hint: `${instead}, and take it out there.`,
  });
}

function checkStore(config: Pick<Config, "store.url" | "store.direct_url">, fault: Fault): void {
  const { "store.url": url, "store.direct_url": directUrl } = config;
  const hint =
    'Set store.url = "sqlite:" for a log in the state directory, or one that begins with postgres://.';
  if (url !== "sqlite:" && !isPostgres(url))
    fault(new AppError("CONFIG_INVALID", "store.url must be sqlite: or postgres://…", { hint }));
  if (directUrl !== "" && url === "sqlite:")
    fault(
      new AppError("CONFIG_INVALID", "store.direct_url is set, and store.url is not PostgreSQL's", { hint }),
    );
  for (const [key, value] of [
    ["store.url", url],
    ["store.direct_url", directUrl],
  ] as const) {
    if (value === "" || (key === "store.url" && !isPostgres(value))) continue;
    try {
      postgresPlace(value, key);
    } catch (error) {
      if (!isAppError(error)) throw error;
      fault(error);
    }
  }
}

function readText({ file, fault }: Source, isRequired: boolean): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const isMissing =
      cause instanceof Error && "code" in cause && (cause.code === "ENOENT" || cause.code === "ENOTDIR");
    if (isMissing && !isRequired) return null;
    fault(unread(file, cause));
    return null;
  }
}

function unread(file: string, cause: unknown): AppError {
  const isDirectory = cause instanceof Error && "code" in cause && cause.code === "EISDIR";
  const [words, hint] = isDirectory
    ? [
        "is a directory, not a configuration file",
        `Name the file in it, as --config ${join(file, "config.toml")}`,
      ]
    : ["cannot be read", "Check --config or JC_CONFIG: is the file there, and who may read it?"];
  return new AppError("CONFIG_INVALID", `${file} ${words}`, { hint, cause });
}

/** So many lines that are no TOML are told; behind more of them, one mistake makes the next. */
const MOST_LINES = 20;

/** One table, or what is left of it beside the lines that are no TOML; a table that is written twice is read twice. */
function tablesIn(text: string, at: Source, most = MOST_LINES): Table[] {
  try {
    return [parse(text)];
  } catch (cause) {
    const line =
      cause instanceof Error && "line" in cause && typeof cause.line === "number" ? cause.line : null;
    const isTwice = cause instanceof Error && /redefine/.test(cause.message);
    at.fault(noToml(text, { file: at.file, line, isTwice }));
    if (line === null || most === 0) return [];
    return withoutLine(text, line, isTwice).flatMap((part) => tablesIn(part, at, most - 1));
  }
}

/** The parser's own message quotes the line, which may hold what should not be shown: keep to its place and its name. */
function noToml(
  text: string,
  { file, line, isTwice }: { file: string; line: number | null; isTwice: boolean },
): AppError {
  const place = line === null ? "" : `, line ${line}`;
  if (!isTwice)
    return new AppError("CONFIG_INVALID", `${file}${place}: this is no TOML`, {
      hint: 'Texts need quotes: org = "acme"',
    });
  const [, name = "this"] = /^\s*(\[[^\]]*\]|[\w."'-]+)/.exec(text.split("\n")[(line ?? 0) - 1] ?? "") ?? [];
  return new AppError("CONFIG_INVALID", `${file}${place}: ${name} is written a second time`, {
    hint: "Put all of it into one place.",
  });
}

/** Lines keep their numbers. Of a table written twice the second part stands apart, down to the next table. */
function withoutLine(text: string, line: number, isTwice: boolean): string[] {
  const lines = text.split("\n");
  const isHeader = (each: string | undefined) => /^\s*\[/.test(each ?? "");
  const from = line - 1;
  if (!isTwice || !isHeader(lines[from])) return [lines.with(from, "").join("\n")];
  const next = lines.findIndex((each, index) => index > from && isHeader(each));
  const isApart = (index: number) => index >= from && (next === -1 || index < next);
  const part = (isOurs: (index: number) => boolean) =>
    lines.map((each, index) => (isOurs(index) ? each : "")).join("\n");
  return [part((index) => !isApart(index)), part(isApart)];
}

/** `{hubspot: {tier}}` → `{"hubspot.tier"}`; refuses what no key is named. */
function flatten(table: Table, at: Source & { keys: object; prefix: string }): Record<string, unknown> {
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

interface Source extends Pick<ConfigOptions, "file" | "listKeys" | "setSecret"> {
  fault: Fault;
}

interface Tables extends Source {
  vendors: readonly VendorSection[];
}

function orgTables(orgs: unknown, { vendors, ...source }: Tables): Config["orgs"] {
  const keys = orgKeys(vendors);
  const read = Object.entries(asTable(orgs, "orgs", source)).map(([slug, table]) => [
    slug,
    checkedTable(table, keys, { ...source, section: `orgs.${slug}` }),
  ]);
  return Object.fromEntries(read);
}

function sandboxTables(sandbox: unknown, { vendors, ...source }: Tables): Config["sandbox"] {
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
      const valid = checkedBy(source, value, key, path);
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

export function isOrgSlug(text: string): boolean {
  return /^[a-z0-9][a-z0-9._-]{0,99}$/i.test(text);
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

/** Undefined where it is no value of that key. */
function checkedBy({ fault }: Source, value: unknown, key: KeyKind, where: string): KeyValue | undefined {
  try {
    return check(value, key, where);
  } catch (error) {
    if (!isAppError(error)) throw error;
    fault(error);
    return undefined;
  }
}

function check(value: unknown, key: KeyKind, where: string): KeyValue {
  const wrong = (expected: string) => new AppError("CONFIG_INVALID", `${where} must be ${expected}`);
  const written = typeof value === "bigint" ? Number(value) : value;
  switch (key.kind) {
    case "text":
      if (typeof written === "string" || typeof written === "number") return String(written);
      throw wrong("a text");
    case "url":
      if (typeof written === "string" && safeUrl(written)) return written;
      throw notSafe(...pathAndOrigin(where));
    case "choice":
      if (typeof written === "string" && key.of.includes(written)) return written;
      throw wrong(`one of ${key.of.join(", ")}`);
    case "choices": {
      const all = Array.isArray(written) ? written : typeof written === "string" ? written.split(",") : [];
      const named = all.map((each) => (typeof each === "string" ? each.trim() : ""));
      const isWell = named.length > 0 && named.every((each) => key.of.includes(each));
      if (isWell) return key.of.filter((each) => named.includes(each)).join(", ");
      throw wrong(`some of ${key.of.join(", ")}, as ["${key.of.join('", "')}"]`);
    }
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
      if (typeof written === "string" && (isAddress(written) || (key.mayBeNone && written === "none")))
        return written;
      throw wrong(`host:port, as 127.0.0.1:8470${key.mayBeNone ? ", or none" : ""}`);
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

function isAddress(text: string): boolean {
  const [, port] = /^(?:\[[0-9a-f:]+\]|[^\s:]+):(\d{1,5})$/i.exec(text) ?? [];
  return port !== undefined && Number(port) <= 65_535;
}

/** `log.level (JC_LOG_LEVEL)` in its two parts. */
function pathAndOrigin(where: string): [path: string, origin: string] {
  const [path = "", origin = ""] = where.split(/ (?=\()/, 2);
  return [path, origin];
}

function isNetwork(text: string): boolean {
  const [, address = "", bits = "0"] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  return family !== 0 && Number(bits) <= (family === 6 ? 128 : 32);
}
