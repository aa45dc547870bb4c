import { accountParts, type AccountParts } from "./app/account-parts.ts";
import { configFileFor, configFor, orgFrom, pathIn, stateDirFor } from "./app/configuration.ts";
import { createClosing } from "./app/context.ts";
import { type LogCopies, logCopies } from "./app/log-copies.ts";
import { logInDatabase } from "./app/log-in-database.ts";
import { logInFile } from "./app/log-in-file.ts";
import type { LogParts } from "./app/log-parts.ts";
import { type VaultParts, vaultParts } from "./app/vault-parts.ts";
import { asTypedHere } from "./core/advice/command-lines.ts";
import { type Clock, followingClock } from "./shared/clock.ts";
import { changedKeys, type Config } from "./shared/config.ts";
import { createLog, type Log } from "./shared/log.ts";
import type { Redactor } from "./shared/redact.ts";
import { isPostgres } from "./shared/store-url.ts";
import { CERT_KEY, KEY_KEY, type TlsFiles, tlsFilesOf } from "./shared/tls-files.ts";
import type { Globals, World } from "./shared/world.ts";
import type { VendorDeclaration } from "./vendors/contract/declaration.ts";
import { VENDORS } from "./vendors/index.ts";

/**
 * The one place where real parts are put together. Each is opened when first asked for, so `status` loads
 * neither the vault nor an HTTP client.
 */
export interface App extends LogParts, LogCopies, VaultParts, AccountParts {
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
  /** Null where `serve` speaks no TLS. Throws `CONFIG_INVALID` where half of a pair is set. */
  tlsFiles(): TlsFiles | null;
  /** Makes the tables of log and vault, or brings them to this program's version. */
  migrate(): Promise<void>;
  /**
   * Reads the configuration anew, takes over `log.level`, and returns the text of what runs now, with the one that its level is
   * from, and the keys that only a restart takes over. Throws `CONFIG_INVALID`, and all stays as it was.
   */
  reload(): { text: string | null; levelFrom: string; keysForRestart: string[] };
  close(): Promise<void>;
}

/** `isAttended`: a person may be there to unlock a keychain; for a service nobody is, whoever started it. */
export function openApp(world: World, globals: Globals, { isAttended = true } = {}): App {
  const { redact } = world;
  const { config, environmentSecrets } = configFor(world, globals);
  for (const { secret } of environmentSecrets) redact.learn(secret.reveal());
  const stateDir = stateDirFor(world, globals);
  const configFile = configFileFor(world, globals);
  const org = orgFrom(config.org);
  const inPostgres = isPostgres(config["store.url"]);
  const databaseClock = inPostgres ? followingClock(world.clock) : null;
  const clock = databaseClock ?? world.clock;
  // In full: whoever reads the journal stands elsewhere.
  const places = {
    ...(globals.config === undefined ? {} : { config: configFile }),
    ...(globals.stateDir === undefined ? {} : { stateDir }),
  };
  const typed = (text: string) => asTypedHere(text, places);
  let level = config["log.level"];
  const log = createLog({
    write: world.io.err,
    level: () => (globals.verbose ? "debug" : level),
    format: config["log.format"],
    toJournal: Boolean(world.env.JOURNAL_STREAM) && !world.io.stderrIsTerminal,
    asTypedHere: typed,
    redact,
    clock,
  });
  const { closing, closeAll } = createClosing();
  const asked = { world, globals, config, environmentSecrets, stateDir, isAttended };
  const context = { ...asked, clock, databaseClock, log, closing };
  const vault = vaultParts(context);
  const logParts = inPostgres ? logInDatabase(context) : logInFile(context, vault.wasConnected);
  return {
    ...logParts,
    ...logCopies(context),
    ...vault.parts,
    ...accountParts(context, vault.parts.vault),
    config,
    vendors: VENDORS,
    org,
    stateDir,
    configFile,
    clock,
    redact,
    log,
    asTypedHere: typed,
    tlsFiles: () => tlsFilesOf(pathIn(config, CERT_KEY, world.cwd), pathIn(config, KEY_KEY, world.cwd)),
    migrate: async () => {
      await logParts.store();
      await vault.prepare();
    },
    reload: () => {
      const { config: next } = configFor(world, globals);
      level = next["log.level"];
      const keysForRestart = changedKeys(config, next).filter((key) => key !== "log.level");
      const text = keysForRestart.length === 0 ? next.text : config.text;
      return { text, levelFrom: next.text ?? "", keysForRestart };
    },
    close: closeAll,
  };
}
