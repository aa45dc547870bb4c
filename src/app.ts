import { statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Globals, World } from "./shared/world.ts";
import { DECLARED_SECRETS } from "./declared-secrets.ts";
import { asTypedHere, CONFIG_CHECK_COMMAND, listKeysCommand } from "./core/advice/command-lines.ts";
import { misplacedSecret } from "./core/advice/misplaced-secret.ts";
import type { Connection, ConnectionName } from "./core/connection.ts";
import type { KeyedApi } from "./flows/account/key-access.ts";
import type { Tokens } from "./oauth/tokens.ts";
import { hasFaults } from "./flows/watch/faults-file.ts";
import { type Clock, followingClock } from "./shared/clock.ts";
import { changedKeys, type Config, type ConfigOptions, isOrgSlug, readConfig } from "./shared/config.ts";
import { AppError, isAppError } from "./shared/errors.ts";
import { whyNotMade } from "./shared/private-dir.ts";
import type { Http } from "./shared/http.ts";
import { createLog, type Log } from "./shared/log.ts";
import { CERT_KEY, KEY_KEY, type TlsFiles, tlsFilesOf } from "./shared/tls-files.ts";
import { type CallSeen, observedHttp } from "./shared/observed-http.ts";
import { defaultConfigFile, defaultStateDir } from "./shared/paths.ts";
import type { Redactor } from "./shared/redact.ts";
import type { Secret } from "./shared/secret.ts";
import { isPostgres } from "./shared/store-url.ts";
import type { BackupFiles, Restoring, Store } from "./store/contract/store.ts";
import type { LogLook } from "./store/contract/log-look.ts";
import type { ThreadedStore } from "./store/contract/threaded.ts";
import type { AcceptedLog } from "./store/sqlite/accept-log.ts";
import type { Compacted } from "./store/sqlite/compact-log.ts";
import type { Person, Vault } from "./vault/contract.ts";
import {
  type EnvironmentSecret,
  secretsInEnvironment,
  withEnvironmentSecrets,
  withoutSecrets,
} from "./vault/environment.ts";
import type { VaultOptions } from "./vault/open.ts";
import type { Rekeyed } from "./vault/rekey.ts";
import type { KnownErasures } from "./flows/erasure/again.ts";
import type { HoldingContext } from "./flows/backup/holding.ts";
import type { Destination } from "./vendors/contract/destination.ts";
import type { VendorDeclaration } from "./vendors/contract/declaration.ts";
import type { InviteDesk } from "./vendors/contract/invite-desk.ts";
import type { LookUp } from "./vendors/contract/look-up.ts";
import type { Source } from "./vendors/contract/source.ts";
import {
  checkVendor,
  openDestination,
  openInviteDesk,
  openLookUp,
  openSources,
  VENDORS,
} from "./vendors/index.ts";
import type { Access } from "./vendors/contract/access.ts";

/**
 * The one place where real parts are put together. Each is opened when first asked for, so `status` loads
 * neither the vault nor an HTTP client.
 */
export interface App {
  config: Config;
  /** All that are known, in the order in which people see them. */
  vendors: readonly VendorDeclaration[];
  org: string;
  stateDir: string;
  /** Where the configuration is looked for, whether or not it is there. */
  configFile: string;
  clock: Clock;
  redact: Redactor;
  log: Log;
  /** A text with the commands in it as they are to be typed where other places than the usual ones were given. */
  asTypedHere(text: string): string;
  /** The log, in this thread. */
  store(): Promise<Store>;
  /** The same for who only looks; null, and nothing is created, where there is none yet. */
  storeToRead(): Promise<Store | null>;
  /** The log in a thread of its own, for a process that must never wait for the disk and stays up without a log. */
  threadedStore(): Promise<ThreadedStore>;
  /** Null where `serve` speaks no TLS. Throws `CONFIG_INVALID` where half of a pair is set. */
  tlsFiles(): TlsFiles | null;
  /** Copies of the log, looked through in a thread of their own. */
  /** Whether a copy of the log holds a person. */
  heldInCopy: HoldingContext["heldInCopy"];
  /** Throws `VAULT_UNAVAILABLE`; of no vault there is nothing to know. */
  knownErasures(): Promise<KnownErasures>;
  backupFiles(): Promise<BackupFiles>;
  /** A backup on its way into the log's place. */
  restoring(): Promise<Restoring>;
  /** The store of another state directory, to be closed by whoever asks. */
  storeIn(stateDir: string): Promise<Store>;
  /** Makes a new log where there is none, or takes what stands there for the log from now on. */
  acceptLog(options: { isMissed: boolean }): Promise<AcceptedLog>;
  /** What is wrong with the log's file, looked for as long as told; null where there is no log. */
  lookAtLog(options: { longestMs: number }): Promise<LogLook | null>;
  /** Writes the log anew without what is free in it. Throws `STORE_UNAVAILABLE` while a service lives on it. */
  compactLog(): Promise<Compacted>;
  vault(): Promise<Vault>;
  /** The secrets that the environment sets, which go before the vault's and are never written there. */
  environmentSecrets: readonly EnvironmentSecret[];
  /** The items of secrets that are set, for who only looks; null where nobody can tell. */
  secretNames(): Promise<readonly string[] | null>;
  /** Seals the vault anew: with the key in that file, or with a new key in place of the old one. */
  rekeyVault(newKeyFile: string | null): Promise<Rekeyed>;
  http(): Promise<Http>;
  tokens(): Promise<Tokens>;
  /** Throws `USAGE` for a vendor that results cannot go to, and so does `destination`. */
  checkVendor(vendor: string): void;
  destination(of: ConnectionName): Promise<Destination>;
  sources(): Promise<readonly Source[]>;
  /** Who answers what a vendor's events only name; null for a vendor that answers no questions. */
  lookUp(of: ConnectionName): Promise<LookUp | null>;
  /** Who invites candidates when a stage asks for it; null where `jobcannon.invites_url` names nobody. */
  inviteDesk(): Promise<InviteDesk | null>;
  /** What calls to an account need that opens by an API key. */
  keyAccess(
    of: ConnectionName,
    api: KeyedApi,
    options: { store: Store; signal: AbortSignal },
  ): Promise<Access>;
  /** What calls to a connection's account need. */
  access(connection: Connection, options: { store: Store; signal: AbortSignal }): Promise<Access>;
  /** Tells of each call to a vendor's API, by whatever is opened from now on. */
  observeCalls(seen: (call: CallSeen) => void): void;
  /**
   * Reads the configuration anew, takes over `log.level`, and returns the text that was read, with the keys that only a
   * restart takes over. Throws `CONFIG_INVALID`, and all stays as it was.
   */
  reload(): { text: string | null; keysForRestart: string[] };
  close(): Promise<void>;
}

/** `isAttended`: a person may be there to unlock a keychain; for a service nobody is, whoever started it. */
export function openApp(world: World, globals: Globals, { isAttended = true } = {}): App {
  const { redact } = world;
  const { config, environmentSecrets } = configFor(world, globals);
  for (const { secret } of environmentSecrets) redact.learn(secret.reveal());
  const stateDir = stateDirFor(world, globals);
  const org = orgFrom(config.org);
  const inPostgres = isPostgres(config["store.url"]);
  const following = inPostgres ? followingClock(world.clock) : null;
  const clock = following ?? world.clock;
  const toJournal = Boolean(world.env.JOURNAL_STREAM) && !world.io.stderrIsTerminal;
  // In full: whoever reads the journal stands elsewhere.
  const places = {
    ...(globals.config === undefined ? {} : { config: configFileFor(world, globals) }),
    ...(globals.stateDir === undefined ? {} : { stateDir }),
  };
  const typed = (text: string) => asTypedHere(text, places);
  let level = config["log.level"];
  const log = createLog({
    write: world.io.err,
    level: () => (globals.verbose ? "debug" : level),
    format: config["log.format"],
    toJournal,
    asTypedHere: typed,
    redact,
    clock,
  });
  const closers: (() => Promise<void> | void)[] = [];

  const logFile = join(stateDir, "log.db");
  const temporaryDir = world.env.SQLITE_TMPDIR ?? world.env.TMPDIR ?? "/var/tmp";
  /** A log that is gone is not taken for one that never was. */
  const isLogExpected = async () =>
    sizeOf(logFile) <= NO_LOG_BYTES && (await notesConnection(stateDir, vault));
  const openStore = async (options: { toRead: boolean }) => {
    if (!options.toRead) await refuseLostLog(stateDir);
    const { openSqliteStore } = await import("./store/sqlite/sqlite.ts");
    const opened = await openSqliteStore({
      stateDir,
      clock,
      isExpected: await isLogExpected(),
      ...options,
    });
    closers.push(() => opened.close());
    return opened;
  };
  const postgres = () => ({
    url: config["store.url"],
    directUrl: config["store.direct_url"],
    caFile: pathIn(config, "store.ca_file", world.cwd) ?? "",
    env: world.env,
    ...(following ? { clock: following } : {}),
  });
  /** Without a file there is nothing for a thread to wait for. */
  const inDatabase = once(async () => {
    const { openPostgresStore } = await import("./store/postgres/postgres.ts");
    const opened = await openPostgresStore(postgres());
    closers.push(() => opened.close());
    return opened;
  });
  const databaseToRead = once(async () => {
    const { openPostgresToRead } = await import("./store/postgres/postgres.ts");
    const opened = await openPostgresToRead(postgres());
    if (opened) closers.push(() => opened.close());
    return opened;
  });
  const refuseWithoutFile = async (what: string) => {
    if (!inPostgres) return;
    throw (await import("./core/advice/database.ts")).notInPostgres(what);
  };
  const store = inPostgres ? inDatabase : once(() => openStore({ toRead: false }));
  const threadedStore = inPostgres
    ? inDatabase
    : once(async () => {
        const { openThreadedStore } = await import("./store/sqlite/threaded.ts");
        const opened = await openThreadedStore({
          stateDir,
          threadUrl: new URL("store-thread.js", world.distUrl),
          isExpected: await isLogExpected(),
          staysUp: true,
        });
        closers.push(() => opened.close());
        return opened;
      });
  const backupFiles = once(async () => {
    const { openBackupFiles } = await import("./store/sqlite/backups.ts");
    const opened = await openBackupFiles(new URL("backup-thread.js", world.distUrl), {
      log: logFile,
      temporaryDir,
    });
    closers.push(() => opened.close());
    return opened;
  });
  const vaultOptions = (): VaultOptions => ({
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
  });
  const vault = once(async () => {
    const { openVault } = await import("./vault/open.ts");
    const opened = openVault(vaultOptions());
    closers.push(() => opened.close());
    return learningSecrets(withEnvironmentSecrets(opened, environmentSecrets), redact);
  });
  const http = once(async () => {
    const [{ createHttp }, { proxyFrom }] = await Promise.all([
      import("./shared/http.ts"),
      import("./shared/proxy.ts"),
    ]);
    const proxy = proxyFrom(world.env);
    if (proxy?.authorization) redact.learn(proxy.authorization.replace(/^Basic /, ""));
    const opened = createHttp({
      caFile: pathIn(config, "network.ca_file", world.cwd),
      proxy,
      ...(globals.verbose ? { trace: (line: string) => log.debug(line) } : {}),
    });
    closers.push(() => opened.close());
    return opened;
  });
  const tokens = once(async () => {
    const { createTokens } = await import("./oauth/tokens.ts");
    return createTokens({ clock, http: await http(), vault: await vault() });
  });
  let seen: ((call: CallSeen) => void) | null = null;
  const httpTo = async (vendor: string) => (seen ? observedHttp(await http(), vendor, seen) : await http());
  const destination: App["destination"] = async ({ org, vendor, environment }) =>
    openDestination(vendor, { config, org, environment, http: await httpTo(vendor), clock });
  const access: App["access"] = async (connection, options) => {
    const [{ createAccess }, issuer] = await Promise.all([
      import("./flows/account/access.ts"),
      destination(connection),
    ]);
    return createAccess(
      { clock, vault: await vault(), tokens: await tokens(), ...options },
      connection,
      issuer,
    );
  };

  return {
    config,
    vendors: VENDORS,
    org,
    stateDir,
    configFile: configFileFor(world, globals),
    clock,
    redact,
    log,
    asTypedHere: typed,
    store,
    storeToRead: inPostgres
      ? databaseToRead
      : once(async () => {
          if (sizeOf(logFile) > 0 || (await isLogExpected())) return await openStore({ toRead: true });
          refuseNowhere(stateDir);
          return null;
        }),
    threadedStore,
    tlsFiles: () => tlsFilesOf(pathIn(config, CERT_KEY, world.cwd), pathIn(config, KEY_KEY, world.cwd)),
    backupFiles,
    heldInCopy: async (...of) => (await import("./store/sqlite/erasure/in-copy.ts")).heldInCopy(...of),
    knownErasures: async () => {
      if (sizeOf(join(stateDir, "vault.db")) === 0) return { kept: [], marker: null };
      const [{ allInVault }, { readMarker }] = await Promise.all([
        import("./flows/erasure/kept.ts"),
        import("./flows/erasure/marks.ts"),
      ]);
      const opened = await vault();
      return { kept: await allInVault(opened), marker: await readMarker(opened) };
    },
    restoring: once(async () => {
      await refuseWithoutFile("going back to a backup's file");
      const { openRestoring } = await import("./store/sqlite/restore/restoring.ts");
      return openRestoring(stateDir, clock.now());
    }),
    storeIn: async (directory) => {
      const { openSqliteStore } = await import("./store/sqlite/sqlite.ts");
      return await openSqliteStore({ stateDir: directory, clock });
    },
    acceptLog: async (options) => {
      await refuseWithoutFile("a new log's file");
      return (await import("./store/sqlite/accept-log.ts")).acceptLog({
        stateDir,
        now: clock.now(),
        ...options,
      });
    },
    lookAtLog: async (options) =>
      inPostgres ? null : (await import("./store/sqlite/look-at-log.ts")).lookAtLog(stateDir, options),
    compactLog: async () => {
      await refuseWithoutFile("a log written anew");
      const { compactLog } = await import("./store/sqlite/compact-log.ts");
      return compactLog({ stateDir, now: clock.now(), temporaryDir });
    },
    vault,
    environmentSecrets,
    secretNames: async () => {
      const held = await namesIn(stateDir, vault, "secret/");
      return held && [...held, ...environmentSecrets.flatMap(({ items }) => items)];
    },
    rekeyVault: async (newKeyFile) =>
      (await import("./vault/rekey.ts")).rekeyVault(vaultOptions(), newKeyFile),
    http,
    tokens,
    checkVendor,
    destination,
    sources: openSources,
    lookUp: async ({ org, vendor, environment }) =>
      openLookUp(vendor, { config, org, environment, http: await httpTo(vendor), clock }),
    inviteDesk: async () =>
      openInviteDesk({ http: await httpTo("jobcannon"), clock, url: config["jobcannon.invites_url"] }),
    keyAccess: async (of, api, options) => {
      const { createKeyAccess } = await import("./flows/account/key-access.ts");
      return createKeyAccess({ clock, vault: await vault(), ...options }, of, api);
    },
    access,
    observeCalls: (observer) => {
      seen = observer;
    },
    reload: () => {
      const { config: next } = configFor(world, globals);
      level = next["log.level"];
      const keysForRestart = changedKeys(config, next).filter((key) => key !== "log.level");
      return { text: next.text, keysForRestart };
    },
    close: async () => {
      for (const close of closers.reverse()) await close();
    },
  };
}

function personAt({ io, signal }: World): Person {
  return { tell: (words) => io.err(`${words}\n`), signal };
}

/** A vault whose secrets are in no text that is shown from then on. */
function learningSecrets(vault: Vault, redact: Redactor): Vault {
  const learn = (items: Iterable<[name: string, kept: Secret | null]>) => {
    for (const [name, kept] of items) {
      const text = kept?.reveal() ?? "";
      const tokens = [...text.matchAll(/"(?:accessToken|refreshToken)":"([^"\\]+)"/g)].map(
        ([, token]) => token,
      );
      for (const secret of name.startsWith("token/") ? tokens : [text]) redact.learn(secret ?? "");
    }
  };
  return {
    ...vault,
    read: async (names) => {
      const found = await vault.read(names);
      learn(found);
      return found;
    },
    write: async (changes) => {
      learn(changes);
      await vault.write(changes);
    },
  };
}

/** A database without tables has no more bytes than this, nor has a log whose tables are all in its -wal still. */
const NO_LOG_BYTES = 65_536;

/** Of what may not be looked at: endless, so that who opens it says why. */
function sizeOf(path: string): number {
  try {
    return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Was any account ever connected here? A vault whose names cannot be read does not say so. */
async function notesConnection(stateDir: string, vault: () => Promise<Vault>): Promise<boolean> {
  return ((await namesIn(stateDir, vault, "token/")) ?? []).length > 0;
}

/** Creates no vault; null where its names cannot be read. */
async function namesIn(
  stateDir: string,
  vault: () => Promise<Vault>,
  prefix: string,
): Promise<readonly string[] | null> {
  if (sizeOf(join(stateDir, "vault.db")) === 0) return [];
  try {
    return await (await vault()).names(prefix);
  } catch (error) {
    if (!isAppError(error, "VAULT_UNAVAILABLE")) throw error;
    return null;
  }
}

/** What a running service says is not its log is nothing to write into, either. */
async function refuseLostLog(stateDir: string): Promise<void> {
  if (!hasFaults(stateDir)) return;
  const { serveFaults } = await import("./flows/watch/serve-faults.ts");
  const lost = serveFaults(stateDir).find(({ kind }) => kind === "lost");
  if (!lost) return;
  throw new AppError("STORE_UNAVAILABLE", `serve runs on another file: ${lost.message}`, { hint: lost.hint });
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** Throws the first of what is wrong, and says how to see the rest. */
function configFor(
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

export function secretsFor(
  { env }: World,
  { org }: Config,
  fault: (error: AppError) => void,
): EnvironmentSecret[] {
  return secretsInEnvironment(env, { declared: DECLARED_SECRETS, org, fault });
}

/** What vendors say of a configuration that is well-formed: of the account of each org, and of its sandbox. */
export async function vendorFaults(config: Config, clock: Clock): Promise<AppError[]> {
  const { createHttp } = await import("./shared/http.ts");
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

/** A path in the configuration file is meant from where that file is, any other from where the command was typed. */
function pathIn(
  config: Config,
  key: "vault.key_file" | "network.ca_file" | "store.ca_file" | typeof CERT_KEY | typeof KEY_KEY,
  cwd: string,
): string | null {
  const isInFile = config.file !== null && config.origins[key] === config.file;
  return config[key] ? resolve(isInFile && config.file ? dirname(config.file) : cwd, config[key]) : null;
}

function configFileFor(world: World, globals: Globals): string {
  const named = globals.config ?? world.env.JC_CONFIG;
  return named ? resolve(world.cwd, named) : defaultConfigFile(world.env, world.platform);
}

function stateDirFor(world: World, globals: Globals): string {
  const named = globals.stateDir ?? world.env.JC_STATE_DIR;
  return named ? resolve(world.cwd, named) : defaultStateDir(world.env, world.platform);
}

export function orgFrom(slug: string): string {
  if (isOrgSlug(slug)) return slug;
  throw new AppError("USAGE", "an org is a slug: letters, digits, dot, dash, underscore", {
    hint: "As --org acme",
  });
}

/** Nothing was kept where nothing can be. Throws `STORE_UNAVAILABLE`. */
function refuseNowhere(stateDir: string): void {
  const why = whyNotMade(stateDir);
  if (why === null) return;
  throw new AppError("STORE_UNAVAILABLE", `no state directory can be made at ${stateDir}: ${why}`, {
    hint: "Check --state-dir and JC_STATE_DIR.",
  });
}
