import { setSecretCommand } from "../core/advice/command-lines.ts";
import type { Environment } from "../core/connection.ts";
import { AppError, isAppError } from "../shared/errors.ts";
import { type OwnedSecret, owned, type Secret, secret } from "../shared/secret.ts";
import type { Vault } from "./contract.ts";
import type { DeclaredSecret } from "../core/declared-secret.ts";
import type { SourceSecret } from "../core/source-secret.ts";
import { FEWEST_KEY_BYTES, isSharedBy, keyBytesOf, placeWords, weaknessesOf } from "../core/weak-secrets.ts";

/**
 * The operator's secrets in the vault, as items `secret/<org or ->/<name>[@sandbox]/<number>`. `-` serves every
 * org that has none of its own. A webhook secret may have several, so that it can be rotated without a gap.
 */
export interface SecretPlace {
  name: string;
  /** null: for every org that has none of its own. */
  org: string | null;
  environment: Environment;
}

/** As much of a vault as it takes to read a secret. */
export type SecretReader = Pick<Vault, "names" | "read">;

const EVERY_ORG = "-";
/** What the environment sets is counted so: before all that the vault holds, which begins with 1. */
export const FROM_ENVIRONMENT = 0;

/** The one secret there from now on. */
export async function setSecret(vault: Vault, place: SecretPlace, value: Secret): Promise<{ number: 1 }> {
  await vault.write(new Map([[`${prefixOf(place)}1`, value]]));
  return { number: 1 };
}

/** Adds one beside those that are there, unless it is there already. */
export async function addSecret(
  vault: Vault,
  place: SecretPlace,
  value: Secret,
): Promise<{ number: number }> {
  const held = (await readAll(vault, place)).filter(({ number }) => number !== FROM_ENVIRONMENT);
  const same = held.find(({ secret: other }) => other.reveal() === value.reveal());
  if (same) return { number: same.number };
  const number = (held.at(-1)?.number ?? 0) + 1;
  await vault.write(new Map([[`${prefixOf(place)}${number}`, value]]));
  return { number };
}

/** As people tell the secrets of one place apart. */
export async function numbersOf(vault: SecretReader, place: SecretPlace): Promise<number[]> {
  const prefix = prefixOf(place);
  const held = (await vault.names("secret/")).filter((item) => item.startsWith(prefix));
  const numbers = held.map(numberOf);
  return numbers.filter((number) => number !== FROM_ENVIRONMENT).sort((a, b) => a - b);
}

/** Removes those of that place. Returns how many. */
export async function removeSecrets(
  vault: Vault,
  place: SecretPlace,
  numbers: readonly number[],
): Promise<number> {
  const doomed = (await numbersOf(vault, place))
    .filter((number) => numbers.includes(number))
    .map((number) => itemOf(place, number));
  await vault.write(new Map(doomed.map((name) => [name, null])));
  return doomed.length;
}

export async function listSecrets(
  vault: Pick<Vault, "names" | "setAt">,
): Promise<(SecretPlace & { number: number; setAt: number | null })[]> {
  const names = await vault.names("secret/");
  const times = await vault.setAt("secret/");
  return names.map((item) => {
    const [, org = EVERY_ORG, label = "", number = "1"] = item.split("/");
    const [name = "", environment] = label.split("@");
    return {
      name,
      org: org === EVERY_ORG ? null : org,
      environment: environment === "sandbox" ? "sandbox" : "production",
      number: Number(number),
      setAt: times.get(item) ?? null,
    };
  });
}

/** The name that one secret has in the vault. */
export function itemOf(place: SecretPlace, number: number): string {
  return prefixOf(place) + number;
}

/**
 * The one secret an org uses: what the environment sets, else its own, else everybody's. `isOrgs`: where there is none,
 * it is to be the org's own.
 */
export async function readSecret(
  vault: SecretReader,
  place: SecretPlace,
  { isOrgs = false }: { isOrgs?: boolean | undefined } = {},
): Promise<OwnedSecret> {
  for (const org of [place.org, null]) {
    const [held] = await readAll(vault, { ...place, org });
    if (held) return owned(held.secret, { isOrgs: org !== null });
  }
  const { name, org, environment } = place;
  throw new AppError("CONFIG_INVALID", `the secret ${name} is not set`, {
    hint: setSecretCommand(name, { ...(isOrgs && org !== null ? { org } : {}), environment }),
  });
}

/** All that an org uses: its own, else everybody's. */
export async function readSecrets(vault: SecretReader, place: SecretPlace): Promise<Secret[]> {
  const own = await readAll(vault, place);
  const held = own.length > 0 ? own : await readAll(vault, { ...place, org: null });
  return held.map(({ secret: each }) => each);
}

/** A vault that answers from memory what was read before, for as long as the real one cannot be read. */
export interface RememberingSecrets extends SecretReader {
  /** Reads all secrets of that name, whosever they are, in two requests; and who has none. */
  keep(name: string): Promise<void>;
}

export function rememberingSecrets(vault: SecretReader): RememberingSecrets {
  let listed: string[] | null = null;
  const values = new Map<string, Secret | null>();
  const names = async (prefix: string): Promise<string[]> => {
    try {
      const found = await vault.names(prefix);
      // What was set since it was listed is known from here on.
      if (listed !== null) listed = [...listed.filter((item) => !item.startsWith(prefix)), ...found].sort();
      return found;
    } catch (error) {
      if (listed === null || !isAppError(error, "VAULT_UNAVAILABLE")) throw error;
      return listed.filter((item) => item.startsWith(prefix));
    }
  };
  const read = async (items: readonly string[]): Promise<Map<string, Secret>> => {
    try {
      const found = await vault.read(items);
      for (const item of items) values.set(item, found.get(item) ?? null);
      return found;
    } catch (error) {
      const isKnown = items.every((item) => values.has(item));
      if (!isKnown || !isAppError(error, "VAULT_UNAVAILABLE")) throw error;
      const known = items.map((item) => [item, values.get(item) ?? null] as const);
      return new Map(known.filter((each): each is readonly [string, Secret] => each[1] !== null));
    }
  };
  return {
    names,
    read,
    keep: async (name) => {
      const all = await vault.names("secret/");
      await read(all.filter((item) => item.split("/")[2]?.split("@")[0] === name));
      listed = all;
    },
  };
}

/** All webhook secrets of one name, of every org and environment. */
export async function readWebhookSecrets(vault: Vault, name: string): Promise<SourceSecret[]> {
  const places = (await listSecrets(vault)).filter((place) => place.name === name);
  const items = places.map((place) => `${prefixOf(place)}${place.number}`);
  const values = await vault.read(items);
  return places.flatMap((place, index) => {
    const value = values.get(items[index] ?? "");
    return value ? [{ org: place.org, environment: place.environment, secret: value }] : [];
  });
}

/** What is wrong with the webhook secrets of these names, in words. */
export async function weakSecrets(vault: Vault, names: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    names.map(async (name) => weaknessesOf(name, await readWebhookSecrets(vault, name))),
  );
  return found.flat();
}

/** Checks what an operator typed or piped in. */
export function secretFrom(
  { shape, rotates }: Pick<DeclaredSecret, "shape" | "rotates">,
  text: string,
): Secret {
  const value = text.replace(/\r?\n$/, "");
  // What no key or token has was brought in by whatever wrote it down.
  if (value.length === 0 || /\p{Cc}/u.test(value)) {
    throw new AppError("USAGE", "a secret is one line of text, without control characters", {
      hint: "Give it at the prompt, with --file, or on stdin.",
    });
  }
  if (shape && !shape.pattern.test(value)) throw new AppError("USAGE", shape.words, { hint: shape.hint });
  const checked = secret(value);
  if (rotates && keyBytesOf(checked) < FEWEST_KEY_BYTES) {
    throw new AppError("USAGE", `a webhook secret of ${keyBytesOf(checked)} bytes can be guessed`, {
      hint: `Have one of ${FEWEST_KEY_BYTES} random bytes or more made where the webhook is set up.`,
    });
  }
  return checked;
}

/** Throws `USAGE` where another org, or its sandbox, has this very secret: it would not tell whose event it signed. */
export async function refuseShared(vault: Vault, place: SecretPlace, value: Secret): Promise<void> {
  const held = await readWebhookSecrets(vault, place.name);
  const other = held.find((each) => isSharedBy(each, { ...place, secret: value }));
  if (!other) return;
  throw new AppError("USAGE", `${placeWords(other)} has this very ${place.name} already`, {
    hint: "It tells whose event it signed: have another one made.",
  });
}

async function readAll(
  vault: SecretReader,
  place: SecretPlace,
): Promise<{ number: number; secret: Secret }[]> {
  const names = await vault.names(prefixOf(place));
  const values = await vault.read(names);
  return names
    .flatMap((name) => {
      const value = values.get(name);
      return value ? [{ number: numberOf(name), secret: value }] : [];
    })
    .sort((a, b) => a.number - b.number);
}

function prefixOf({ name, org, environment }: SecretPlace): string {
  return `secret/${org ?? EVERY_ORG}/${name}${environment === "sandbox" ? "@sandbox" : ""}/`;
}

function numberOf(item: string): number {
  return Number(item.slice(item.lastIndexOf("/") + 1));
}
