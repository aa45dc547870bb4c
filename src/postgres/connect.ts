import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { ClientConfig } from "pg";
import { openPasswords } from "../core/advice/database.ts";
import { AppError } from "../shared/errors.ts";
import { isInside, isOpenToOthers } from "../shared/private-files.ts";
import { problemOfFile } from "../shared/readable-file.ts";
import { type PostgresPlace, postgresPlace } from "../shared/store-url.ts";

/** What reaches the database: no password is in it, nor in what is shown of it. */
export interface Reach {
  url: string;
  /** Of the server itself, where `url` is a pooler's; empty: `url`. */
  directUrl?: string;
  /** Certificates of those who may vouch for the server, in place of the system's; empty: the system's. */
  caFile?: string;
  env?: Readonly<Record<string, string | undefined>>;
}

/** For a connection or a pool. */
export interface Way extends ClientConfig {
  /** The key or option that names the database, for whoever has to correct it. */
  setting: string;
}

const CONNECT_MS = 5_000;

/** Reads the password anew for each connection, so that one may be changed while all goes on. */
export function connectionConfig({ url, caFile = "", env = {} }: Reach, setting: string): Way {
  const place = postgresPlace(url, setting);
  const { host, port, database, user, tls } = place;
  return {
    setting,
    host,
    port,
    database,
    user,
    // Asked for only where the server wants one.
    password: () => passwordOf(place, env) ?? "",
    ssl:
      tls === "none" ? false : { rejectUnauthorized: true, ...(caFile ? { ca: certificates(caFile) } : {}) },
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: CONNECT_MS,
  };
}

/** The same to the server itself, past any pooler. */
export function directConfig(reach: Reach): Way {
  const { url, directUrl } = reach;
  return connectionConfig({ ...reach, url: directUrl || url }, directUrl ? "store.direct_url" : "store.url");
}

/** What is none would be told by TLS alone, in words of its own. */
function certificates(file: string): string {
  const problem = problemOfFile(CA_KEY, file);
  if (problem) throw new AppError("CONFIG_INVALID", problem.message, { hint: problem.hint });
  const pem = readFileSync(file, "utf8");
  const all = pem.match(CERTIFICATE) ?? [];
  if (all.length > 0 && all.every(isCertificate)) return pem;
  throw new AppError("CONFIG_INVALID", `${CA_KEY}: ${file} holds no certificate`, {
    hint: "Let it name a file of PEM, which begins with -----BEGIN CERTIFICATE-----, of who vouches for the server.",
  });
}

const CA_KEY = "store.ca_file";
const CERTIFICATE = /-----BEGIN ((?:TRUSTED |X509 )?CERTIFICATE)-----[\s\S]*?-----END \1-----/g;

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).publicKey !== null;
  } catch {
    return false;
  }
}

/**
 * As libpq finds it: `PGPASSWORD`, else the first line that fits in `PGPASSFILE`, systemd's credential `pgpass` or ~/.pgpass. Throws
 * `STORE_UNAVAILABLE` where only a file is there that others may read, which libpq does not use either.
 */
export function passwordOf(place: PostgresPlace, env: NonNullable<Reach["env"]>): string | null {
  if (env.PGPASSWORD) return env.PGPASSWORD;
  const credentials = env.CREDENTIALS_DIRECTORY || null;
  const all = env.PGPASSFILE
    ? [env.PGPASSFILE]
    : [...(credentials ? [join(credentials, "pgpass")] : []), join(env.HOME || homedir(), ".pgpass")];
  // A credential's directory is closed to others, whatever the mode of what is in it.
  const open = all.filter((file) => !(credentials && isInside(credentials, file)) && isOpenToOthers(file));
  const files = all.filter((file) => !open.includes(file));
  const host = place.host.startsWith("/") ? "localhost" : place.host;
  const asked = [host, String(place.port), place.database, place.user];
  for (const line of files.flatMap(linesOf)) {
    const fields = fieldsOf(line);
    if (fields.length < 5) continue;
    if (asked.every((value, index) => fields[index] === "*" || fields[index] === value))
      return fields[4] ?? null;
  }
  if (open[0] !== undefined) throw openPasswords(open[0]);
  return null;
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, "utf8")
      .split(/\r?\n/)
      .filter((line) => !line.startsWith("#"));
  } catch {
    return [];
  }
}

/** Parted at each colon that has no backslash before it. */
function fieldsOf(line: string): string[] {
  const parts = [...line.matchAll(/((?:\\.|[^:\\])*)(?::|$)/g)];
  return parts.map(([, part = ""]) => part.replace(/\\(.)/g, "$1"));
}
