/** A PostgreSQL of this process's own: its files in a temporary directory, reached through a socket there. */
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { describe, onTestFinished } from "vitest";

/** Where Debian and others put the server's programs. */
function binaries(): string | null {
  const given = process.env.JC_TEST_PG_BIN;
  if (given) return given;
  const root = "/usr/lib/postgresql";
  const versions = existsSync(root) ? readdirSync(root).toSorted((a, b) => Number(b) - Number(a)) : [];
  const found = versions
    .map((version) => join(root, version, "bin"))
    .find((bin) => existsSync(join(bin, "postgres")));
  return found ?? null;
}

const bin = binaries();

/** Tests that need PostgreSQL; skipped, saying why, where the machine has none. */
export function describeWithPostgres(name: string, work: () => void): void {
  const missing = missingForPostgres();
  if (missing === null) describe(name, work);
  else describe.skip(`${name} (${missing})`, work);
}

/** Null where nothing is missing, or all parts are to be there. */
export function missingForPostgres(): string | null {
  if (bin !== null || process.env.JC_TEST_ALL_PARTS === "1") return null;
  return "needs PostgreSQL's server, as Debian's package postgresql brings it";
}

export interface PostgresServer {
  /** A new, empty database, for as long as the test takes. */
  database(): Promise<string>;
  urlOf(database: string): string;
  directory: string;
}

/** By their settings. */
const running = new Map<string, Promise<PostgresServer>>();

/** Started with the first that asks, and ended with this process, however that ends. */
export function postgresServer(
  settings: readonly string[] = ["fsync=off", "synchronous_commit=off"],
): Promise<PostgresServer> {
  const key = settings.join(" ");
  const server = running.get(key) ?? startServer(settings);
  running.set(key, server);
  return server;
}

/** PostgreSQL refuses to run as root. `more`: further options of setpriv. */
export function asServerUser(
  command: string,
  args: readonly string[],
  more: readonly string[] = [],
): [string, string[]] {
  const asRoot = userInfo().uid === 0 ? ["--reuid=postgres", "--regid=postgres", "--clear-groups"] : [];
  const options = [...asRoot, ...more];
  return options.length === 0 ? [command, [...args]] : ["setpriv", [...options, command, ...args]];
}

/** One of the programs that come with the server. */
export function programOf(name: string): string {
  if (bin === null) throw new Error("there is no PostgreSQL server on this machine");
  return join(bin, name);
}

/** Nobody writes into its input: that ends with whoever started it, and the server with that. */
const GUARD = '"$@" & pid=$!; read _; kill -QUIT $pid; wait $pid';

/** An empty one, whose only user is `jc`. */
export function newCluster(directory: string): void {
  chmodSync(directory, 0o755);
  if (userInfo().uid === 0) execFileSync("chown", ["postgres:postgres", directory]);
  const options = ["-A", "trust", "-U", "jc", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"];
  execFileSync(...asServerUser(programOf("initdb"), ["-D", join(directory, "data"), ...options]), {
    stdio: "ignore",
  });
}

export function serverCommand(
  directory: string,
  settings: readonly string[],
  more: readonly string[] = [],
): [string, string[]] {
  const options = [
    `unix_socket_directories=${directory}`,
    "listen_addresses=",
    "max_connections=200",
    ...settings,
  ];
  const args = ["-D", join(directory, "data"), ...options.flatMap((option) => ["-c", option])];
  return asServerUser(programOf("postgres"), args, more);
}

export function urlIn(directory: string, port?: number): (database: string) => string {
  const host = port === undefined ? "" : `localhost:${port}`;
  return (database) => `postgres://jc@${host}/${database}?host=${encodeURIComponent(directory)}`;
}

async function startServer(settings: readonly string[]): Promise<PostgresServer> {
  const directory = mkdtempSync(join(tmpdir(), "jc-pg-"));
  newCluster(directory);
  const [command, args] = serverCommand(directory, settings);
  const child = spawn("sh", ["-c", `${GUARD}; rm -rf "$0"`, directory, command, ...args], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  child.unref();
  const urlOf = urlIn(directory);
  await answering(urlOf("postgres"));
  let last = 0;
  return {
    directory,
    urlOf,
    database: async () => {
      last += 1;
      const name = `jc_${last}`;
      await asked(urlOf("postgres"), `CREATE DATABASE ${name}`);
      onTestFinished(async () => {
        await asked(urlOf("postgres"), `DROP DATABASE ${name} WITH (FORCE)`);
      });
      return urlOf(name);
    },
  };
}

export async function asked(url: string, statement: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

/** Nobody gets into the database any more, nor stays, until the function is called that this gives back. */
export async function takenAway(url: string): Promise<() => Promise<void>> {
  const [, name = ""] = /\/(\w+)\?/.exec(url) ?? [];
  const beside = url.replace(`/${name}?`, "/postgres?");
  await asked(beside, `ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
  await asked(beside, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`);
  return async () => void (await asked(beside, `ALTER DATABASE ${name} ALLOW_CONNECTIONS true`));
}

export async function answering(url: string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await asked(url, "SELECT 1");
      return;
    } catch (error) {
      if (tries > 600) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
