import { readText, tablesIn } from "./config-file.ts";
import {
  globalKeys,
  type KEYS,
  type KeyName,
  type KeyValue,
  type ORG_KEYS,
  type Values,
  type VendorSection,
  variableOf,
} from "./config-keys.ts";
import { flatten, misplaced, orgTables, sandboxTables, type Source } from "./config-tables.ts";
import { checkedValue, type Fault } from "./config-value.ts";
import { AppError, isAppError } from "./errors.ts";
import { nearest } from "./nearest.ts";
import { isPostgres, postgresPlace } from "./store-url.ts";

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

export interface ConfigOptions extends Omit<Source, "fault"> {
  isRequired: boolean;
  /** What the file is to hold, where it is not to be read. */
  text?: string;
  env: Environment;
  flags: Partial<Record<KeyName, string>>;
  vendors: readonly VendorSection[];
}

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
    const valid = value === undefined ? undefined : checkedValue(at, value, key, `${name} (${origin})`);
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

function checkStore(
  config: Pick<Config, "store.url" | "store.direct_url" | "vault.backend">,
  fault: Fault,
): void {
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
  if (isPostgres(url) && config["vault.backend"] === "keychain")
    fault(
      new AppError("CONFIG_INVALID", "store.url is for several machines, and a keychain is one machine's", {
        hint: 'Set vault.backend = "sealed", and vault.key_file to one key that every machine has.',
      }),
    );
}

export function isOrgSlug(text: string): boolean {
  return /^[a-z0-9][a-z0-9._-]{0,99}$/i.test(text);
}
