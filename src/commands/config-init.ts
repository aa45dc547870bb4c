import { existsSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { CONFIG_CHECK_COMMAND, connectCommand, setSecretCommand } from "../core/advice/command-lines.ts";
import { type ConfigOptions, readConfig } from "../shared/config.ts";
import { globalKeys, type KeyWithDefault } from "../shared/config-keys.ts";
import { AppError } from "../shared/errors.ts";
import { makePrivateDir } from "../shared/private-dir.ts";
import { toDisk } from "../shared/to-disk.ts";
import type { Output } from "../shared/world.ts";
import { DECLARED_SECRETS } from "../declared-secrets.ts";
import { VENDORS } from "../vendors/index.ts";
import { canAsk } from "./session/agreement.ts";

/** Keys by their paths, as they were typed. */
type Answers = Record<string, string>;

/** Asks for what a first connection needs, as far as `--org` and `--set` do not say it, and writes the file. */
export async function initConfig(output: Output, options: ConfigOptions, given: Answers): Promise<void> {
  const { globals, print } = output;
  const { file } = options;
  if (existsSync(file)) throw alreadyThere(file);
  const said: Answers = { ...(globals.org === undefined ? {} : { org: globals.org }), ...given };
  const asks = canAsk(output) && !globals.json;
  if (!asks && Object.keys(said).length === 0)
    throw new AppError("USAGE", "nobody is here to be asked what to write", {
      hint: "Say it: --org <slug> --set hubspot.client_id=<id> --set vault.backend=sealed …",
    });
  const answers = asks ? { ...said, ...(await ask(output, options, said)) } : said;
  const text = textOf(answers, globalKeys(options.vendors));
  // The first fault ends it, before there is a file.
  const config = readConfig({ ...options, text, env: {}, flags: {} }, (fault) => {
    throw fault;
  });
  const { orgFrom } = await import("../app/configuration.ts");
  const org = orgFrom(config.org);
  write(file, text);
  const next = nextSteps(answers, org);
  print({
    json: { file, keys: Object.keys(answers), next },
    text: () => [`${file} is written.`, "", ...next.map((line) => `→ ${line}`)].join("\n"),
  });
}

function alreadyThere(file: string): AppError {
  return new AppError("USAGE", `${file} is there already, and stays as it is`, {
    hint: `Edit it, then: ${CONFIG_CHECK_COMMAND}`,
  });
}

/** What is asked of whoever sits there; an empty answer leaves a key out. */
async function ask({ world }: Output, { vendors }: ConfigOptions, said: Answers): Promise<Answers> {
  const { input, select } = await import("@inquirer/prompts");
  const at = { input: world.io.stdin, output: world.io.stderr, signal: world.signal };
  const keys = globalKeys(vendors);
  const answers: Answers = {};
  const answerTo = async (key: string, message: string) => {
    if (said[key] !== undefined) return said[key];
    const kind = keys[key];
    const answer = await (kind?.kind === "choice"
      ? select({ message, choices: kind.of.map((value) => ({ value })), default: String(kind.default) }, at)
      : input({ message, default: String(kind?.default ?? "") }, at)
    ).catch(() => {
      throw new AppError("CANCELLED", "Cancelled. Nothing was written");
    });
    if (answer !== "") answers[key] = answer;
    return answer;
  };
  await answerTo("org", "the JobCannon organisation (a slug)");
  for (const { vendor, keys: own } of vendors) {
    const label = VENDORS.find((each) => each.vendor === vendor)?.label ?? vendor;
    if (!Object.hasOwn(own.global, "client_id")) continue;
    const id = await answerTo(`${vendor}.client_id`, `client id of your ${label} app (Enter: none yet)`);
    if (id !== "" && Object.hasOwn(own.global, "tier"))
      await answerTo(`${vendor}.tier`, `plan of the ${label} account, which sets its rate limit`);
  }
  const backend = await answerTo(
    "vault.backend",
    "where tokens rest (sealed: for servers without a desktop)",
  );
  if (backend === "sealed")
    answers["vault.key_file"] =
      (await answerTo("vault.key_file", "the vault's key file")) || DEFAULT_KEY_FILE;
  return answers;
}

/** Beside the configuration; made when it is missing. */
const DEFAULT_KEY_FILE = "vault.key";

/** Keys of no table first: behind a table's heading they would be that table's. */
function textOf(answers: Answers, keys: Readonly<Record<string, KeyWithDefault>>): string {
  const tables = new Map<string, string[]>([["", []]]);
  for (const [path, answer] of Object.entries(answers)) {
    const at = path.lastIndexOf(".");
    const table = path.slice(0, Math.max(at, 0));
    const line = `${path.slice(at + 1)} = ${written(answer, keys[path])}`;
    tables.set(table, [...(tables.get(table) ?? []), line]);
  }
  const parts = [...tables].map(([table, lines]) => [...(table === "" ? [] : [`[${table}]`]), ...lines]);
  return `# Written by config init; docs/configuration.md tells of every key.\n${parts.flat().join("\n")}\n`;
}

/** JSON's texts are TOML's. */
function written(answer: string, key: KeyWithDefault | undefined): string {
  const isBare =
    (key?.kind === "number" && /^[1-9]\d{0,8}$/.test(answer)) ||
    (key?.kind === "yes-no" && /^(true|false)$/.test(answer));
  return isBare ? answer : JSON.stringify(answer);
}

/** For its owner alone, and never over what somebody else wrote meanwhile. */
function write(file: string, text: string): void {
  try {
    makePrivateDir(dirname(file));
    writeFileSync(file, text, { flag: "wx", mode: 0o600 });
    toDisk(file);
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "EEXIST") throw alreadyThere(file);
    throw new AppError("USAGE", `${file} cannot be written`, {
      hint: "Name another place with --config, or see who may write there.",
      cause,
    });
  }
}

function nextSteps(answers: Answers, org: string): string[] {
  const vendors = Object.keys(answers).flatMap((key) => /^(\w+)\.client_id$/.exec(key)?.[1] ?? []);
  const secrets = DECLARED_SECRETS.map(({ name }) => name).filter((name) =>
    [...vendors.map((vendor) => `${vendor}.client-secret`), "jobcannon.webhook-secret"].includes(name),
  );
  return [
    ...secrets.map((name) => setSecretCommand(name)),
    ...vendors.map((vendor) => connectCommand({ vendor, org })),
  ];
}
