import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { ClientConfig } from "pg";
import { AppError } from "../../../shared/errors.ts";
import { type PostgresPlace, postgresPlace } from "../../../shared/store-url.ts";

/** What reaches the database: no password is in it, nor in what is shown of it. */
export interface Reach {
  url: string;
  /** Certificates of those who may vouch for the server, in place of the system's; empty: the system's. */
  caFile?: string;
  env?: Readonly<Record<string, string | undefined>>;
}

const CONNECT_MS = 5_000;

/** For a connection or a pool. Reads the password anew for each, so that one may be changed while all goes on. */
export function connectionConfig({ url, caFile = "", env = {} }: Reach, key: string): ClientConfig {
  const place = postgresPlace(url, key);
  const { host, port, database, user, tls } = place;
  return {
    host,
    port,
    database,
    user,
    password: () => passwordOf(place, env) ?? "",
    ssl:
      tls === "none" ? false : { rejectUnauthorized: true, ...(caFile ? { ca: certificates(caFile) } : {}) },
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: CONNECT_MS,
  };
}

function certificates(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new AppError("CONFIG_INVALID", `store.ca_file: ${file} cannot be read`, { cause });
  }
}

/** As libpq finds it: `PGPASSWORD`, else the first line that fits in `PGPASSFILE`, systemd's credential `pgpass` or ~/.pgpass. */
export function passwordOf(place: PostgresPlace, env: NonNullable<Reach["env"]>): string | null {
  if (env.PGPASSWORD) return env.PGPASSWORD;
  const credentials = env.CREDENTIALS_DIRECTORY;
  const files = env.PGPASSFILE
    ? [env.PGPASSFILE]
    : [...(credentials ? [join(credentials, "pgpass")] : []), join(env.HOME || homedir(), ".pgpass")];
  const host = place.host.startsWith("/") ? "localhost" : place.host;
  const asked = [host, String(place.port), place.database, place.user];
  for (const line of files.flatMap(linesOf)) {
    const fields = fieldsOf(line);
    if (fields.length < 5) continue;
    if (asked.every((value, index) => fields[index] === "*" || fields[index] === value))
      return fields[4] ?? null;
  }
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
