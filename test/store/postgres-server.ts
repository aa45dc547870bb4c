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
  if (bin !== null || process.env.JC_TEST_ALL_PARTS === "1") describe(name, work);
  else describe.skip(`${name} (needs PostgreSQL's server, as Debian's package postgresql brings it)`, work);
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

/** PostgreSQL refuses to run as root. */
function asServerUser(command: string, args: readonly string[]): [string, string[]] {
  if (userInfo().uid !== 0) return [command, [...args]];
  return ["setpriv", ["--reuid=postgres", "--regid=postgres", "--clear-groups", command, ...args]];
}

/** Nobody writes into its input: that ends with whoever started it, and the server with that. */
const GUARD = '"$@" & pid=$!; read _; kill -QUIT $pid; wait $pid; rm -rf "$0"';

async function startServer(settings: readonly string[]): Promise<PostgresServer> {
  if (bin === null) throw new Error("there is no PostgreSQL server on this machine");
  const directory = mkdtempSync(join(tmpdir(), "jc-pg-"));
  chmodSync(directory, 0o755);
  if (userInfo().uid === 0) execFileSync("chown", ["postgres:postgres", directory]);
  const data = join(directory, "data");
  const initdb = asServerUser(join(bin, "initdb"), [
    "-D",
    data,
    "-A",
    "trust",
    "-U",
    "jc",
    "-E",
    "UTF8",
    "--locale=C",
    "--no-sync",
    "--no-instructions",
  ]);
  execFileSync(...initdb, { stdio: "ignore" });
  const options = [
    `unix_socket_directories=${directory}`,
    "listen_addresses=",
    "max_connections=200",
    ...settings,
  ];
  const [command, args] = asServerUser(join(bin, "postgres"), [
    "-D",
    data,
    ...options.flatMap((option) => ["-c", option]),
  ]);
  const child = spawn("sh", ["-c", GUARD, directory, command, ...args], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  child.unref();
  const urlOf = (database: string) => `postgres://jc@/${database}?host=${encodeURIComponent(directory)}`;
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

async function answering(url: string): Promise<void> {
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
