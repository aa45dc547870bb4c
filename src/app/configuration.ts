/** The configuration of one command line: where its file lies, what it says with flags and environment, what is wrong with it. */
import { dirname, resolve } from "node:path";
import { CONFIG_CHECK_COMMAND, listKeysCommand } from "../core/advice/command-lines.ts";
import { misplacedSecret } from "../core/advice/misplaced-secret.ts";
import { DECLARED_SECRETS } from "../declared-secrets.ts";
import type { Clock } from "../shared/clock.ts";
import { type Config, type ConfigOptions, isOrgSlug, readConfig } from "../shared/config.ts";
import { AppError, isAppError } from "../shared/errors.ts";
import { defaultConfigFile, defaultStateDir } from "../shared/paths.ts";
import type { CERT_KEY, KEY_KEY } from "../shared/tls-files.ts";
import type { Globals, World } from "../shared/world.ts";
import { type EnvironmentSecret, secretsInEnvironment } from "../vault/environment.ts";
import { openDestination, VENDORS } from "../vendors/index.ts";

export function configFileFor(world: World, globals: Globals): string {
  const named = globals.config ?? world.env.JC_CONFIG;
  return named ? resolve(world.cwd, named) : defaultConfigFile(world.env, world.platform);
}

export function stateDirFor(world: World, globals: Globals): string {
  const named = globals.stateDir ?? world.env.JC_STATE_DIR;
  return named ? resolve(world.cwd, named) : defaultStateDir(world.env, world.platform);
}

/** A path in the configuration file is meant from where that file is, any other from where the command was typed. */
export function pathIn(
  config: Config,
  key: "vault.key_file" | "network.ca_file" | "store.ca_file" | typeof CERT_KEY | typeof KEY_KEY,
  cwd: string,
): string | null {
  const isInFile = config.file !== null && config.origins[key] === config.file;
  return config[key] ? resolve(isInFile && config.file ? dirname(config.file) : cwd, config[key]) : null;
}

/** Throws the first of what is wrong, and says how to see the rest. */
export function configFor(
  world: World,
  globals: Globals,
): { config: Config; environmentSecrets: EnvironmentSecret[] } {
  const faults: AppError[] = [];
  const fault = (error: AppError) => void faults.push(error);
  const config = readConfig(configOptions(world, globals), fault);
  const environmentSecrets = secretsFor(world, config, fault);
  const [first, ...others] = faults;
  if (!first) return { config, environmentSecrets };
  if (others.length === 0) throw first;
  // How many there are in all, only the whole look tells: at files, and at what vendors say.
  const more = `There is more that is wrong; all of it: ${CONFIG_CHECK_COMMAND}`;
  const { code, message, hint } = first;
  throw new AppError(code, message, { hint: hint === undefined ? more : `${hint}\n  ${more}`, cause: first });
}

/** For who has to work where the configuration does not. */
export function configOptions(world: World, globals: Globals): ConfigOptions {
  const secrets = DECLARED_SECRETS.map(({ name }) => name);
  return {
    file: configFileFor(world, globals),
    isRequired: Boolean(globals.config ?? world.env.JC_CONFIG),
    env: world.env,
    flags: globals.org === undefined ? {} : { org: globals.org },
    vendors: VENDORS,
    listKeys: listKeysCommand,
    setSecret: (path) => misplacedSecret(path, secrets),
  };
}

export function secretsFor(
  { env }: World,
  { org }: Config,
  fault: (error: AppError) => void,
): EnvironmentSecret[] {
  return secretsInEnvironment(env, { declared: DECLARED_SECRETS, org, fault });
}

/** What vendors say of a configuration that is well-formed: of the account of each org, and of its sandbox. */
export async function vendorFaults(config: Config, clock: Clock): Promise<AppError[]> {
  const { createHttp } = await import("../shared/http.ts");
  const http = createHttp({ caFile: null, proxy: null });
  const orgs = new Set([config.org, ...Object.keys(config.orgs)]);
  const vendors = VENDORS.flatMap(({ vendor, destination }) => (destination ? [vendor] : []));
  const faults = new Map<string, AppError>();
  for (const org of orgs)
    for (const vendor of vendors)
      for (const environment of ["production", "sandbox"] as const)
        await openDestination(vendor, { config, org, environment, http, clock }).catch((error: unknown) => {
          if (!isAppError(error)) throw error;
          faults.set(error.message, error);
        });
  await http.close();
  return [...faults.values()];
}

export function orgFrom(slug: string): string {
  if (isOrgSlug(slug)) return slug;
  throw new AppError("USAGE", "an org is a slug: letters, digits, dot, dash, underscore", {
    hint: "As --org acme",
  });
}
