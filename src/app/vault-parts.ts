import { join } from "node:path";
import { COPY_TARGET } from "../core/advice/database.ts";
import type { KnownErasures } from "../flows/erasure/again.ts";
import type { ItemLook } from "../flows/watch/unread-tokens.ts";
import { isAppError } from "../shared/errors.ts";
import { isPostgres } from "../shared/store-url.ts";
import type { World } from "../shared/world.ts";
import type { Person, Vault } from "../vault/contract.ts";
import { refuseCopied, unlessCopied } from "../vault/copied.ts";
import { type EnvironmentSecret, withEnvironmentSecrets, withoutSecrets } from "../vault/environment.ts";
import { learningSecrets } from "../vault/learning-secrets.ts";
import type { VaultOptions } from "../vault/open.ts";
import type { Rekeyed } from "../vault/rekey.ts";
import { pathIn } from "./configuration.ts";
import { type AppContext, databaseOf, once, sizeOf } from "./context.ts";

/** The vault, and what is known of it; it lies where the log lies. */
export interface VaultParts {
  vault(): Promise<Vault>;
  /** The secrets that the environment sets, which go before the vault's and are never written there. */
  environmentSecrets: readonly EnvironmentSecret[];
  /** The items of secrets that are set, for who only looks; null where nobody can tell. */
  secretNames(): Promise<readonly string[] | null>;
  /** Whether that item can be read, for who only looks: nothing is created, and no keychain is asked. */
  lookAtItem(item: string): Promise<ItemLook>;
  /** Throws `VAULT_UNAVAILABLE`; of no vault there is nothing to know. */
  knownErasures(): Promise<KnownErasures>;
  /** Seals the vault anew: with the key in that file, or with a new key in place of the old one. */
  rekeyVault(newKeyFile: string | null): Promise<Rekeyed>;
  /** Carries tokens and secrets to the database at that URL. Throws `VAULT_UNAVAILABLE` at once where they cannot be read, or sealed. */
  vaultCarrier(url: string): Promise<VaultCarrier>;
}

export interface VaultCarrier {
  /** How many would go along. */
  items: number;
  /** Returns how many did. */
  carry(): Promise<number>;
}

interface WithinApp {
  parts: VaultParts;
  /** Was any account ever connected here? A vault whose names cannot be read does not say so. */
  wasConnected(): Promise<boolean>;
  /** Makes the vault's tables, or brings them to this program's version; of a file there are none. */
  prepare(): Promise<void>;
}

export function vaultParts(context: AppContext): WithinApp {
  const { world, config, environmentSecrets, stateDir, closing } = context;
  const inPostgres = isPostgres(config["store.url"]);
  const isFileThere = () => sizeOf(join(stateDir, "vault.db")) > 0;
  const isThere = () => inPostgres || isFileThere();
  const sharedVault = once(() => openShared(context));
  const vault = once(async () => {
    const { openVault, openVaultIn } = await import("../vault/open.ts");
    const opened = inPostgres
      ? openVaultIn(await sharedVault(), vaultOptions(context))
      : unlessCopied(closing(openVault(vaultOptions(context))), stateDir);
    return learningSecrets(withEnvironmentSecrets(opened, environmentSecrets), world.redact);
  });
  /** Null where they cannot be read. */
  const namesOf = async (prefix: string): Promise<readonly string[] | null> => {
    if (!isThere()) return [];
    try {
      return await (await vault()).names(prefix);
    } catch (error) {
      if (!isAppError(error, "VAULT_UNAVAILABLE")) throw error;
      return null;
    }
  };
  const parts: VaultParts = {
    vault,
    environmentSecrets,
    secretNames: async () => {
      const held = await namesOf("secret/");
      return held && [...held, ...environmentSecrets.flatMap(({ items }) => items)];
    },
    lookAtItem: async (item) => await lookAtItem(item, vault),
    knownErasures: async () => (isThere() ? await erasuresIn(await vault()) : { kept: [], marker: null }),
    rekeyVault: async (newKeyFile) => {
      const { rekeyIn, rekeyVault } = await import("../vault/rekey.ts");
      if (inPostgres) return await rekeyIn((await sharedVault()).place, vaultOptions(context), newKeyFile);
      refuseCopied(stateDir);
      return await rekeyVault(vaultOptions(context), newKeyFile);
    },
    vaultCarrier: async (url) =>
      isFileThere() ? await carrier(context, url) : { items: 0, carry: async () => 0 },
  };
  return {
    parts,
    wasConnected: async () => ((await namesOf("token/")) ?? []).length > 0,
    prepare: async () => {
      if (inPostgres) await (await sharedVault()).prepare();
    },
  };
}

async function lookAtItem(item: string, vault: () => Promise<Vault>): Promise<ItemLook> {
  try {
    const opened = await vault();
    // A keychain may ask a person.
    if (opened.backend === "keychain") return { is: "unasked" };
    return { is: (await opened.read([item])).has(item) ? "readable" : "missing" };
  } catch (error) {
    if (!isAppError(error, "VAULT_UNAVAILABLE")) throw error;
    return { is: "unreadable", problem: error };
  }
}

async function openShared(context: AppContext) {
  const [{ connectionConfig, directConfig }, { openSharedVault }, { refuseBesideHalfCopy }] =
    await Promise.all([
      import("../postgres/connect.ts"),
      import("../vault/postgres/open.ts"),
      import("../store/postgres/server/copy-mark.ts"),
    ]);
  const database = databaseOf(context);
  return context.closing(
    openSharedVault({
      config: connectionConfig(database, "store.url"),
      direct: directConfig(database),
      where: database.url,
      clock: context.world.clock,
      insist: (sql) => refuseBesideHalfCopy(sql, database.url),
    }),
  );
}

async function erasuresIn(vault: Vault): Promise<KnownErasures> {
  const [{ allInVault }, { readMarker }] = await Promise.all([
    import("../flows/erasure/kept.ts"),
    import("../flows/erasure/marks.ts"),
  ]);
  return { kept: await allInVault(vault), marker: await readMarker(vault) };
}

function vaultOptions({ world, globals, config, stateDir, isAttended, clock }: AppContext): VaultOptions {
  return {
    backend: config["vault.backend"],
    stateDir,
    keyFile: pathIn(config, "vault.key_file", world.cwd),
    credentialsDirectory: world.env.CREDENTIALS_DIRECTORY ?? null,
    host: {
      platform: world.platform,
      nodePath: world.nodePath,
      env: withoutSecrets(world.env),
      ...(isAttended && globals.input && world.io.stderrIsTerminal ? { person: personAt(world) } : {}),
    },
    childUrl: new URL("keychain-child.js", world.distUrl),
    clock,
  };
}

function personAt({ io, signal }: World): Person {
  return { tell: (words) => io.err(`${words}\n`), signal };
}

async function carrier(context: AppContext, url: string): Promise<VaultCarrier> {
  const [{ openVault }, { carryVault, countCarried }, { connectionConfig }, { openSharedVault }] =
    await Promise.all([
      import("../vault/open.ts"),
      import("../vault/carry.ts"),
      import("../postgres/connect.ts"),
      import("../vault/postgres/open.ts"),
    ]);
  const options = vaultOptions(context);
  const from = context.closing(openVault(options));
  const items = await countCarried(from, options);
  const config = connectionConfig({ ...databaseOf(context), url }, COPY_TARGET);
  const carry = async () => {
    const shared = openSharedVault({ config, direct: config, where: url, clock: context.world.clock });
    try {
      return await carryVault(from, shared, options);
    } finally {
      await shared.close();
    }
  };
  return { items, carry };
}
