import { AppError } from "./errors.ts";

/** Where the log is: a server, or the directory of its socket. */
export interface PostgresPlace {
  /** A host's name or address, or the path of a socket's directory. */
  host: string;
  port: number;
  database: string;
  user: string;
  /** `none` for a socket and this very machine, and where the operator wrote `sslmode=disable`. */
  tls: "verify-full" | "none";
}

const PARAMETERS = ["host", "sslmode"];
const LOOPBACK = ["localhost", "127.0.0.1", "::1"];
const NO_SECRETS = "secrets do not rest in the configuration";
const PASSWORD_PLACE =
  "Take it out there, and write a line host:port:database:user:password into ~/.pgpass, the file that PGPASSFILE names, or systemd's credential pgpass.";

/** Whether the log is in PostgreSQL. */
export function isPostgres(url: string): boolean {
  return /^postgres(ql)?:/.test(url);
}

/** Throws `CONFIG_INVALID`, and never says what stands in the URL: there may be a password in it. */
export function postgresPlace(text: string, key: string): PostgresPlace {
  const invalid = (words: string, hint = "Write postgres://user@host:5432/database.") =>
    new AppError("CONFIG_INVALID", `${key} ${words}`, { hint });
  const isArgument = key.startsWith("--");
  // Without a host the URL is none for Node; a socket's directory stands in its parameter.
  const written = text.replace(/^(postgres(?:ql)?:\/\/(?:[^/?#]*@)?)(?=[/?#]|$)/, "$1localhost");
  if (!isPostgres(text) || !URL.canParse(written)) throw invalid("is no postgres URL");
  const url = new URL(written);
  if (url.password !== "" || url.searchParams.has("password"))
    throw invalid(
      `has a password in it, and ${isArgument ? "others see it in ps" : NO_SECRETS}`,
      PASSWORD_PLACE,
    );
  const other = [...url.searchParams.keys()].find((name) => !PARAMETERS.includes(name));
  if (other !== undefined)
    throw invalid(
      `has a parameter other than ${PARAMETERS.join(" and ")}`,
      "The port stands behind the host, user and database as here: postgres://user@host:5432/database. Who vouches for the server's certificate: store.ca_file.",
    );
  const host = url.searchParams.get("host") ?? url.hostname.replace(/^\[(.*)\]$/, "$1");
  const database = decoded(url.pathname.slice(1));
  const user = decoded(url.username);
  for (const [what, name] of Object.entries({ user, host, database }))
    if (!name) throw invalid(`names no ${what}`);
  if (database.includes("/")) throw invalid("names a database with a / in it");
  const mode = url.searchParams.get("sslmode") ?? (isNear(host) ? "disable" : "verify-full");
  if (mode !== "disable" && mode !== "verify-full")
    throw invalid(
      "has another sslmode than verify-full or disable",
      "Leave it out: then the server's certificate has to be in order, and store.ca_file names who vouches for it. Or write ?sslmode=disable where nobody can listen.",
    );
  return {
    host: decoded(host),
    port: Number(url.port || 5_432),
    database,
    user,
    tls: mode === "disable" ? "none" : "verify-full",
  };
}

function isNear(host: string): boolean {
  return host.startsWith("/") || LOOPBACK.includes(host);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
