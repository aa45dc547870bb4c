/** What a PostgreSQL that refuses says, and what to do about it. Pure. */
import { AppError } from "../../shared/errors.ts";
import { GRANTS_COMMAND, MIGRATE_COMMAND } from "./command-lines.ts";

/** The command that copies the log where it is in PostgreSQL. */
const DUMP = "pg_dump --format=custom --schema=jc --file=jc.dump <database>";

/** The command that puts it back in the place of what stands there; into a new database the same. */
const RESTORE = "pg_restore --clean --if-exists --single-transaction --dbname=<database> jc.dump";

/** What goes on where the database is away, and what does not. */
const BY_ITSELF = "serve tries again by itself, a command has to be run again.";

/** The option that names a database which a log is copied to. */
export const COPY_TARGET = "--to";

const OF_VAULT = "the vault: ";

/** What the log's database refuses to the vault, which lies in it too. */
export function ofVault(words: string): string {
  return `${OF_VAULT}${words}`;
}

/** Is it the trouble of the log, too? Whoever looks a moment later may meet another end of it. `told`: of the log. */
export function isToldOfLog(words: string, told: readonly string[]): boolean {
  return told.length > 0 && words.startsWith(OF_VAULT);
}

/** What the vault met because the log's database is away, as whoever asks for the log meets it; null for what is the vault's own. */
export function metOfLog({ message, hint }: AppError): AppError | null {
  const words = message.startsWith(OF_VAULT) ? message.slice(OF_VAULT.length) : "";
  if (troubleOf(words) !== "away") return null;
  return new AppError("STORE_UNAVAILABLE", words, hint ? { hint } : {});
}

/** What is done to a log that is a file. `what`: as the subject of a sentence. */
export function notInPostgres(what: string): AppError {
  return new AppError(
    "USAGE",
    `the log is in PostgreSQL (store.url), which has no file: ${what} is not to be had here`,
    {
      hint: `Backups are the database's: ${DUMP} leaves out the vault (jc_vault), whose spent tokens would come back. Back to one, with every serve stopped: ${RESTORE}`,
    },
  );
}

/** A file of passwords that is not used. */
export function openPasswords(file: string): AppError {
  return new AppError(
    "STORE_UNAVAILABLE",
    `the database wants a password, and ${file} is not read for it: other users may read or change that file`,
    { hint: `chmod 600 '${file}'` },
  );
}

export function noNewLogInPostgres(): AppError {
  return new AppError("USAGE", "the log is in PostgreSQL (store.url), where no log's file is begun", {
    hint: `Back to the file in the state directory: take store.url out of the configuration first. The tables in PostgreSQL are made by: ${MIGRATE_COMMAND}`,
  });
}

/** After rows of a person went. */
export const BYTES_IN_DATABASE =
  "Their rows are gone. Their bytes stay in the database's files until it writes over them, and in its WAL and backups; its owner takes them out of the tables by typing in psql: VACUUM FULL";

export function notCompactedHere(): AppError {
  return new AppError(
    "USAGE",
    "the log is in PostgreSQL (store.url), which takes back by itself what is free in it",
    {
      hint: `Leave out --compact. The database's owner may type in psql, with every serve stopped: VACUUM FULL`,
    },
  );
}

/** A call that did not go, since another process may tell the same by now. */
export function claimInDoubt(): AppError {
  return new AppError(
    "STORE_UNAVAILABLE",
    `${AWAY.doubt}: the database has had no sign of life of this one`,
    { hint: `Wait: ${BY_ITSELF}` },
  );
}

/** As whoever asks meets a database that stops, is away, or starts: each look may meet another end of one trouble. */
const AWAY = {
  starts: "the database starts, stops or recovers, and takes nobody in",
  ends: "the database ended the connection: it stops, or somebody who may has ended it",
  nobody: "the database cannot be reached: nobody answers there",
  lost: "the connection to the database was lost",
  silent: "the database does not answer",
  doubt: "what was to be told may be another process's by now",
};

/** Tells one trouble from another: what is said of a database that is away is one, in whatever words. */
export function troubleOf(message: string): string {
  return Object.values(AWAY).some((words) => message.startsWith(words)) ? "away" : message;
}

interface Refusal {
  words: string;
  hint: string;
}

/**
 * `code`: PostgreSQL's, or Node's where there was no answer; empty where there is none. `setting`: what names the database. Of one
 * that a log is copied to it says what is to be mended only: whoever copies adds what to type.
 */
export function databaseRefusal(code: string, message: string, setting = "store.url"): Refusal {
  const isCopied = setting === COPY_TARGET;
  const [, database] = NO_SCHEMA.exec(message) ?? [];
  if (database !== undefined) return mayMakeNoSchema({ database, user: TABLES_OWNER }, { isCopied });
  const [, closed] = NO_ENTRY.exec(message) ?? [];
  if (closed !== undefined)
    return {
      words: "the database does not let this user in",
      hint: `Its owner types, in psql: GRANT CONNECT ON DATABASE ${closed} TO <the user in ${setting}>`,
    };
  const [, place] = NOBODY_THERE.exec(message) ?? [];
  const { words, hint } = refusalOf(code, message, isCopied);
  const named = (text: string) => text.replaceAll("{setting}", setting);
  return { words: named(place === undefined ? words : `${words} (${place})`), hint: named(hint) };
}

/** Whoever that is: a place to fill in. */
export const TABLES_OWNER = "<the tables' owner>";

/** PostgreSQL's own words where CREATE is missing, and, with quotes, where CONNECT is. */
const NO_SCHEMA = /^permission denied for database ([^"]+)$/;
const NO_ENTRY = /^permission denied for database "(.+)"$/;
/** Node's, with the place that was tried. */
const NOBODY_THERE =
  /^(?:connect|getaddrinfo) (?:ECONNREFUSED|ENOENT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN) (\S+)$/;

/** Who is to own the tables cannot make them. */
export function mayMakeNoSchema(
  { database, user }: { database: string; user: string },
  { isCopied }: { isCopied: boolean },
): Refusal {
  const first = `A superuser types once, in psql: GRANT CREATE ON DATABASE ${database} TO ${user}`;
  return {
    words: `the database does not permit this user to make the log's tables in ${database}`,
    hint: isCopied
      ? first
      : `${first}; the owner, whom store.url then names, makes the tables: ${MIGRATE_COMMAND} and runs what this prints for others: ${GRANTS_COMMAND}`,
  };
}

function refusalOf(code: string, message: string, isCopied: boolean): Refusal {
  const known =
    BY_CODE.find(([pattern]) => pattern.test(code)) ?? BY_MESSAGE.find(([pattern]) => pattern.test(message));
  const [, words, hint, ofCopy] = known ?? [
    null,
    `the database refuses: ${message}`,
    `Look at its own log; ${BY_ITSELF}`,
  ];
  return { words, hint: isCopied ? (ofCopy ?? hint.replace(`; ${BY_ITSELF}`, ".")) : hint };
}

/** `ofCopy`: the hint where a log is copied there, and that differs. */
type Known = readonly [pattern: RegExp, words: string, hint: string, ofCopy?: string];

const BY_CODE: readonly Known[] = [
  [/^57P03$/, AWAY.starts, `Start it where somebody stopped it; ${BY_ITSELF}`],
  [/^57P0[12]$/, AWAY.ends, `Start it again where it was stopped; ${BY_ITSELF}`],
  [
    /^57014$/,
    "the database gave up on a statement that took too long",
    "Raise statement_timeout of its role, or find out what it waits for in pg_stat_activity.",
  ],
  [
    /^53300$/,
    "the database has too many connections",
    "Raise max_connections, or let store.url name a pooler in transaction mode and store.direct_url the server itself.",
    "Raise max_connections, or end what rests there.",
  ],
  [/^53100$/, "the database's disk is full", `Make room for it; ${BY_ITSELF}`],
  [/^53/, "the database has no more room for work", `Look at its own log; ${BY_ITSELF}`],
  [
    /^25006$/,
    "the database only reads: it is a standby, or was made read-only",
    "Let {setting} name the primary.",
  ],
  [
    /^55P03$/,
    "the database is held up: another process keeps what is to be written",
    `Wait until it is done; ${BY_ITSELF}`,
  ],
  [
    /^28/,
    "the database takes this user or password for none of its own",
    "Look at the user in {setting}, and at the password in PGPASSFILE or ~/.pgpass.",
  ],
  [
    /^3D000$/,
    "the database's server has no database of that name",
    "Have it made by CREATE DATABASE, or correct {setting}.",
  ],
  [
    /^42501$/,
    "the database does not permit this user what is to be done",
    `Have the tables' owner, who needs CREATE on the database once and whom store.url then names, make them: ${MIGRATE_COMMAND} and run what this prints: ${GRANTS_COMMAND}`,
    `Let ${COPY_TARGET} name the owner of the tables there.`,
  ],
  [
    /^(ECONNREFUSED|ENOENT|EHOSTUNREACH|ENETUNREACH)$/,
    AWAY.nobody,
    `Start it, or correct {setting}; ${BY_ITSELF}`,
  ],
  [
    /^(ENOTFOUND|EAI_AGAIN)$/,
    "the database cannot be reached: its host's name is not known",
    "Correct {setting}, or look at the resolver.",
  ],
  [
    /^(ECONNRESET|EPIPE|ETIMEDOUT|08...|25P03|57P05)$/,
    AWAY.lost,
    `Look whether it runs, and at the network; ${BY_ITSELF}`,
  ],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    "the database's certificate is another host's than the one in {setting}",
    "Let {setting} name a host that stands in it, or have one made for this host.",
  ],
  [
    /^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/,
    "the database's certificate has expired, or is not valid yet",
    `Have it renewed there, or look at the clocks; ${BY_ITSELF}`,
  ],
  [
    /^(ERR_TLS_|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/,
    "the database's certificate is not to be trusted: nobody known here vouches for it",
    "Let store.ca_file name the certificate of who does.",
  ],
];

/** Of what has no code: the driver's own. */
const BY_MESSAGE: readonly Known[] = [
  [
    /server does not support SSL/i,
    "the database speaks no TLS",
    "Turn ssl on there, or write ?sslmode=disable into {setting} where nobody can listen.",
  ],
  [
    /no password|password must be|SASL|client password/i,
    "the database wants a password, and none was found",
    "Write a line host:port:database:user:password into ~/.pgpass, or the file that PGPASSFILE names.",
  ],
  [/timeout/i, AWAY.silent, `Look at it, and at the network; ${BY_ITSELF}`],
  [
    /terminated|not queryable|ended|closed/i,
    AWAY.lost,
    `Look whether it runs, and at the network; ${BY_ITSELF}`,
  ],
];
