import type { DeclaredSecret } from "../core/declared-secret.ts";
import type { Environment } from "../core/connection.ts";
import { AppError, isAppError } from "../shared/errors.ts";
import { nearest } from "../shared/nearest.ts";
import type { Secret } from "../shared/secret.ts";
import type { Vault } from "./contract.ts";
import { FROM_ENVIRONMENT, itemOf, secretFrom } from "./secrets.ts";

/** A secret that a script sets for one run, as `JC_SECRET_HUBSPOT_CLIENT_SECRET`. */
export interface EnvironmentSecret {
  variable: string;
  name: string;
  environment: Environment;
  /** The items of a vault that it is read as. */
  items: readonly string[];
  isAlone: boolean;
  secret: Secret;
}

type Variables = Readonly<Record<string, string | undefined>>;

const PREFIX = "JC_SECRET_";
const SANDBOX = "_SANDBOX";

/** `JC_SECRET_` and the secret's name in capitals; with `_SANDBOX` behind it the sandbox's. */
export function variableOfSecret(name: string, environment: Environment = "production"): string {
  const variable = PREFIX + name.toUpperCase().replace(/[.-]/g, "_");
  return environment === "sandbox" ? variable + SANDBOX : variable;
}

/** Those that are set; `fault` hears of each that is none of ours, or not as such a secret looks. `org`: the one at hand. */
export function secretsInEnvironment(
  env: Variables,
  {
    declared,
    org,
    fault,
  }: { declared: readonly DeclaredSecret[]; org: string; fault(error: AppError): void },
): EnvironmentSecret[] {
  const known = declared.flatMap((secret) => variablesOf(secret));
  return Object.entries(env).flatMap(([variable, value]) => {
    if (!variable.startsWith(PREFIX) || !value) return [];
    const found = known.find((each) => each.variable === variable);
    if (!found) {
      fault(unknownVariable(variable, known));
      return [];
    }
    try {
      return [read(found, value, org)];
    } catch (error) {
      if (!isAppError(error)) throw error;
      const { message, hint } = error;
      fault(new AppError("CONFIG_INVALID", `${variable}: ${message}`, hint === undefined ? {} : { hint }));
      return [];
    }
  });
}

/** For child processes, which need none of them. */
export function withoutSecrets(env: Variables): Variables {
  return Object.fromEntries(Object.entries(env).filter(([variable]) => !variable.startsWith(PREFIX)));
}

interface Variable {
  variable: string;
  secret: DeclaredSecret;
  environment: Environment;
}

function variablesOf(secret: DeclaredSecret): Variable[] {
  const environments: readonly Environment[] = secret.isService ? ["production"] : ["production", "sandbox"];
  return environments.map((environment) => ({
    variable: variableOfSecret(secret.name, environment),
    secret,
    environment,
  }));
}

/** A webhook's is one more beside the vault's; any other goes before the org's own and before everybody's. */
function read({ variable, secret, environment }: Variable, value: string, org: string): EnvironmentSecret {
  const { name, rotates, isOrgs, isService } = secret;
  const orgs = rotates ? [isOrgs ? org : null] : isService ? [null] : [org, null];
  return {
    variable,
    name,
    environment,
    items: orgs.map((each) => itemOf({ name, org: each, environment }, FROM_ENVIRONMENT)),
    isAlone: !rotates,
    secret: secretFrom(secret, value),
  };
}

function unknownVariable(variable: string, known: readonly Variable[]): AppError {
  const names = known.map((each) => each.variable);
  const guess = nearest(variable, names);
  return new AppError("CONFIG_INVALID", `the environment sets the unknown secret ${variable}`, {
    hint: guess ? `Did you mean ${guess}?` : `Those that are known: ${names.join(", ")}`,
  });
}

/** The vault with those secrets in it, for who reads; what is written goes into the vault as if they were not there. */
export function withEnvironmentSecrets(vault: Vault, found: readonly EnvironmentSecret[]): Vault {
  if (found.length === 0) return vault;
  const items = new Map(found.flatMap((each) => each.items.map((item) => [item, each.secret] as const)));
  const lone = new Set(found.filter(({ isAlone }) => isAlone).flatMap((each) => each.items));
  return {
    ...vault,
    read: async (names) => {
      const rest = names.filter((name) => !items.has(name));
      const held = rest.length === 0 ? new Map<string, Secret>() : await vault.read(rest);
      const ours = names.flatMap((name) => {
        const value = items.get(name);
        return value ? [[name, value] as const] : [];
      });
      return new Map([...ours, ...held]);
    },
    names: async (prefix) => {
      const ours = [...items.keys()].filter((item) => item.startsWith(prefix));
      // Who asks for a secret that counts alone needs no vault behind it.
      if (ours.length === 1 && lone.has(ours[0] ?? "") && prefix.endsWith("/") && isWhole(prefix))
        return ours;
      return [...new Set([...ours, ...(await vault.names(prefix))])].toSorted();
    },
  };
}

/** Of one secret's place: `secret/<org>/<name>/`. */
function isWhole(prefix: string): boolean {
  return prefix.split("/").length === 4;
}
