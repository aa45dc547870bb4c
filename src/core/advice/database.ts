/** What a PostgreSQL that refuses says, and what to do about it. Pure. */
import { AppError } from "../../shared/errors.ts";

/** The command that copies the log where it is in PostgreSQL. */
const DUMP = "pg_dump --format=custom --schema=jc --file=jc.dump <database>";

const BY_ITSELF = "jc-integrations tries again by itself.";

/** What is done to a log that is a file. `what`: as the subject of a sentence. */
export function notInPostgres(what: string): AppError {
  return new AppError(
    "USAGE",
    `the log is in PostgreSQL (store.url), which has no file: ${what} is not to be had here`,
    {
      hint: `Backups are the database's: ${DUMP}; back to one: pg_restore`,
    },
  );
}

/** A call that did not go, since another process may tell the same by now. */
export function claimInDoubt(): AppError {
  return new AppError(
    "STORE_UNAVAILABLE",
    "what was to be told may be another process's by now: the database has had no sign of life of this one",
    { hint: `Nothing is to be done: ${BY_ITSELF}` },
  );
}

interface Refusal {
  words: string;
  hint: string;
}

/** `code`: PostgreSQL's, or Node's where there was no answer; empty where there is none. */
export function databaseRefusal(code: string, message: string): Refusal {
  const known =
    BY_CODE.find(([pattern]) => pattern.test(code)) ?? BY_MESSAGE.find(([pattern]) => pattern.test(message));
  const [, words, hint] = known ?? [
    null,
    `the database refuses: ${message}`,
    `Look at its own log; ${BY_ITSELF}`,
  ];
  return { words, hint };
}

type Known = readonly [pattern: RegExp, words: string, hint: string];

const BY_CODE: readonly Known[] = [
  [
    /^57P03$/,
    "the database starts, or recovers, and takes nobody in yet",
    `Nothing is to be done: ${BY_ITSELF}`,
  ],
  [/^57P0[12]$/, "the database was stopped, or stops", `Start it again; ${BY_ITSELF}`],
  [
    /^57014$/,
    "the database gave up on a statement that took too long",
    "Raise statement_timeout of its role, or find out what it waits for in pg_stat_activity.",
  ],
  [
    /^53300$/,
    "the database has too many connections",
    "Raise max_connections, or let store.url name a pooler in transaction mode and store.direct_url the server itself.",
  ],
  [/^53100$/, "the database's disk is full", `Make room for it; ${BY_ITSELF}`],
  [/^53/, "the database has no more room for work", `Look at its own log; ${BY_ITSELF}`],
  [
    /^25006$/,
    "the database only reads: it is a standby, or was made read-only",
    "Let store.url name the primary.",
  ],
  [
    /^55P03$/,
    "the database is held up: another process keeps what is to be written",
    `Nothing is to be done: ${BY_ITSELF}`,
  ],
  [
    /^28/,
    "the database takes this user or password for none of its own",
    "Look at the user in store.url, and at the password in PGPASSFILE or ~/.pgpass.",
  ],
  [
    /^3D000$/,
    "the database's server has no database of that name",
    "Have it made by CREATE DATABASE, or correct store.url.",
  ],
  [
    /^42501$/,
    "the database does not permit this user what is to be done",
    "Have the schema jc made, and given to this user, by the database's owner.",
  ],
  [
    /^(ECONNREFUSED|ENOENT|EHOSTUNREACH|ENETUNREACH)$/,
    "the database cannot be reached: nobody answers there",
    `Start it, or correct store.url; ${BY_ITSELF}`,
  ],
  [
    /^(ENOTFOUND|EAI_AGAIN)$/,
    "the database cannot be reached: its host's name is not known",
    "Correct store.url, or look at the resolver.",
  ],
  [
    /^(ECONNRESET|EPIPE|ETIMEDOUT|08...)$/,
    "the connection to the database was lost",
    `Nothing is to be done: ${BY_ITSELF}`,
  ],
  [
    /^(ERR_TLS_|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/,
    "the database's certificate is not to be trusted",
    "Let store.ca_file name the certificate of who vouches for it, and store.url the host in it.",
  ],
];

/** Of what has no code: the driver's own. */
const BY_MESSAGE: readonly Known[] = [
  [
    /server does not support SSL/i,
    "the database speaks no TLS",
    "Turn ssl on there, or write ?sslmode=disable into store.url where nobody can listen.",
  ],
  [
    /no password|password must be|SASL|client password/i,
    "the database wants a password, and none was found",
    "Write a line host:port:database:user:password into ~/.pgpass, or the file that PGPASSFILE names.",
  ],
  [
    /timeout (expired|exceeded)|read timeout/i,
    "the database does not answer",
    `Look at it, and at the network; ${BY_ITSELF}`,
  ],
  [
    /terminated|not queryable|ended|closed/i,
    "the connection to the database was lost",
    `Nothing is to be done: ${BY_ITSELF}`,
  ],
];
