import { lstatSync, type Stats } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { AppError, isAppError } from "../../shared/errors.ts";
import { unfitNativePart } from "../../shared/native-part.ts";
import { makePrivateDir } from "../../shared/private-dir.ts";
import { closeToOthers, createOnce, misplacedDatabase } from "../../shared/private-files.ts";
import { deniedAt } from "../../shared/readable-file.ts";
import type { VaultBackend } from "../contract.ts";
import type { VaultPlace, VaultRows } from "../rows.ts";
import { DISK_FULL, isDiskFull } from "./full-disk.ts";

/**
 * `vault.db`: which backend was chosen, the names of all items, and, for the sealed vault, their sealed values.
 * With the keychain it holds names only, because asking an OS keychain for a list can crash or hang.
 */
export interface VaultDatabase extends VaultRows {
  /** Runs `work` alone among all processes, all or nothing. Checks first that the vault's backend is `backend`. */
  alone<T>(work: () => T): T;
  revision(): number;
  names(prefix?: string): string[];
  stamps(prefix: string): Map<string, number>;
  close(): void;
}

const FORMAT = 1;
/** From the first list of rows on: an older program would write rows that are not in it. */
const BOUND_FORMAT = 2;
/** Another process's write takes a few milliseconds; only a stopped one holds the file longer. */
const BUSY_TIMEOUT_MS = 2_000;

const SCHEMA = `
  create table choice (
    one integer primary key check (one = 1),
    backend text not null check (backend in ('sealed', 'keychain')),
    revision integer not null default 0,
    salt blob,
    proof blob
  ) strict;
  create table item (name text primary key, sealed blob) strict;
  pragma user_version = ${FORMAT};
`;

/** An older program leaves it alone. */
const STAMPS = "create table if not exists item_set (name text primary key, at integer not null) strict";

export const vaultPath = (stateDir: string) => join(stateDir, "vault.db");

/** What stands where the vault's file belongs, a link that is refused later as itself. Throws `VAULT_UNAVAILABLE` where nobody can tell. */
export function vaultFileAt(path: string): Stats | undefined {
  return guarded(path, () => lstatSync(path, { throwIfNoEntry: false }));
}

export function openVaultDatabase(stateDir: string, backend: VaultBackend): VaultDatabase {
  const path = vaultPath(stateDir);
  return guarded(path, () => {
    createPrivately(stateDir, path);
    const db = new Database(path, { timeout: BUSY_TIMEOUT_MS });
    // Not WAL: one file to keep private, and a committed token pair is on disk before it is used.
    db.pragma("journal_mode = DELETE");
    db.pragma("synchronous = EXTRA");
    db.pragma("secure_delete = ON");
    db.transaction(() => prepareSchema(db, path)).immediate();
    return verbs(db, path, backend);
  });
}

/** SQLite would make the file readable for all; its journal takes the file's mode. */
function createPrivately(stateDir: string, path: string): void {
  const misplaced = misplacedDatabase(path);
  if (misplaced) throw new AppError("VAULT_UNAVAILABLE", misplaced.message, { hint: misplaced.hint });
  makePrivateDir(stateDir);
  createOnce(path);
  closeToOthers(stateDir);
}

function prepareSchema(db: Database.Database, path: string): void {
  const version = db.pragma("user_version", { simple: true });
  if (version === 0) db.exec(SCHEMA);
  else if (version !== FORMAT && version !== BOUND_FORMAT)
    throw new AppError("VAULT_UNAVAILABLE", `${path} was written by a newer version of this program`, {
      hint: "Install that version again.",
    });
  db.exec(STAMPS);
}

function verbs(db: Database.Database, path: string, backend: VaultBackend): VaultDatabase {
  const choice = db.prepare<[], { backend: VaultBackend; revision: number }>(
    "select backend, revision from choice",
  );
  const keyCheck = db.prepare<[], { salt: Buffer | null; proof: Buffer | null }>(
    "select salt, proof from choice",
  );
  const setKeyCheck = db.prepare<[Buffer, Buffer]>("update choice set salt = ?, proof = ?");
  const choose = db.prepare<[VaultBackend]>(
    "insert into choice (one, backend) values (1, ?) on conflict do update set backend = excluded.backend",
  );
  const touch = db.prepare<[]>("update choice set revision = revision + 1");
  const names = db.prepare<{ prefix: string }, { name: string }>(
    "select name from item where substr(name, 1, length(@prefix)) = @prefix order by name",
  );
  const sealed = db.prepare<[string], { sealed: Buffer | null }>("select sealed from item where name = ?");
  const put = db.prepare<[string, Buffer | null]>("insert or replace into item (name, sealed) values (?, ?)");
  const remove = db.prepare<[string]>("delete from item where name = ?");

  const stamp = db.prepare<[string, number]>("insert or replace into item_set (name, at) values (?, ?)");
  const stamps = db.prepare<{ prefix: string }, { name: string; at: number }>(
    "select name, at from item_set where substr(name, 1, length(@prefix)) = @prefix",
  );
  const unstamp = db.prepare<[string]>("delete from item_set where name = ?");

  const checkChoice = () => {
    const chosen = choice.get()?.backend;
    if (chosen === backend) return;
    if (chosen !== undefined && names.get({ prefix: "" }) !== undefined)
      throw otherBackend(path, chosen, backend);
    choose.run(backend);
  };
  return {
    path,
    alone: (work) =>
      guarded(path, () =>
        db
          .transaction(() => {
            checkChoice();
            return work();
          })
          .immediate(),
      ),
    revision: () => guarded(path, () => choice.get()?.revision ?? 0),
    isEmpty: () => guarded(path, () => names.get({ prefix: "" }) === undefined),
    names: (prefix = "") => guarded(path, () => names.all({ prefix }).map((row) => row.name)),
    sealed: (name) => sealed.get(name)?.sealed ?? null,
    put: (name, value) => void put.run(name, value),
    remove: (name) => {
      remove.run(name);
      unstamp.run(name);
    },
    stamp: (name, at) => void stamp.run(name, at),
    stamps: (prefix) =>
      guarded(path, () => new Map(stamps.all({ prefix }).map(({ name, at }) => [name, at]))),
    keyCheck: () => {
      const row = keyCheck.get();
      return row?.salt && row.proof ? { salt: row.salt, proof: row.proof } : null;
    },
    setKeyCheck: ({ salt, proof }) => {
      setKeyCheck.run(salt, proof);
      db.pragma(`user_version = ${BOUND_FORMAT}`);
    },
    touch: () => void touch.run(),
    close: () => void db.close(),
  };
}

/** The file for who writes, and for who reads: null while there is none. */
export interface VaultFile {
  database(): VaultDatabase;
  databaseToRead(): VaultDatabase | null;
}

/** The rows of a sealed vault in `vault.db`, opened on first need. */
export function vaultFile({ database, databaseToRead }: VaultFile, stateDir: string): VaultPlace {
  return {
    alone: async (_, work) => {
      const db = database();
      return db.alone(() => work(db));
    },
    look: async (_, work) => {
      const db = databaseToRead();
      return db === null ? null : db.alone(() => work(db));
    },
    names: async (prefix) => {
      const db = databaseToRead();
      return db === null ? [] : db.alone(() => db.names(prefix));
    },
    stamps: async (prefix) => databaseToRead()?.stamps(prefix) ?? new Map(),
    revision: () => databaseToRead()?.revision() ?? 0,
    where: () => stateDir,
  };
}

function otherBackend(path: string, chosen: VaultBackend, wanted: VaultBackend): AppError {
  return new AppError(
    "VAULT_UNAVAILABLE",
    `The tokens rest in the ${chosen} vault, but the configuration says ${wanted}`,
    {
      hint: `Set [vault] backend = "${chosen}" again. To change it, disconnect and remove all secrets first; to begin anew, move ${path} away.`,
    },
  );
}

/** Whatever SQLite or the file system says becomes an error an operator can act on. */
function guarded<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause)) throw cause;
    if (isAppError(cause)) throw cause;
    const unfit = unfitNativePart("better-sqlite3", cause);
    if (unfit) throw unfit;
    const closed = deniedAt(path);
    const [what, hint] = isDiskFull(cause)
      ? [`cannot grow: ${DISK_FULL.what}`, DISK_FULL.hint]
      : closed !== null
        ? [`may not be read by this user: ${closed} is another's`, ownerHint(closed)]
        : [`cannot be used: ${String(cause.code)}`, hintFor(path, String(cause.code))];
    throw new AppError("VAULT_UNAVAILABLE", `${path} ${what}`, { hint, cause });
  }
}

/** The vault may be read by its owner alone. */
function ownerHint(closed: string): string {
  return `Work as its owner, whom this shows: ls -ld '${closed.replaceAll("'", "'\\''")}'`;
}

function hintFor(path: string, code: string): string {
  if (code.startsWith("SQLITE_BUSY")) return `Find the process that holds it with: fuser -v ${path}`;
  if (code === "SQLITE_CORRUPT" || code === "SQLITE_NOTADB")
    return "Move the damaged file away, set the secrets again and connect again.";
  return "Check that this user may read and write it, and its directory.";
}
