// A PostgreSQL of the benchmark's own, as it comes: durable, on a socket in a temporary directory, ended with the benchmark.
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";

const ROOT = "/usr/lib/postgresql";
/** Its input ends with whoever started it, and the server with that. */
const GUARD = '"$@" & pid=$!; read _; kill -QUIT $pid; wait $pid; rm -rf "$0"';
const PATIENCE_MS = 60_000;

/** `settings`: as "name=value". */
export async function startPostgres(settings = []) {
  const bin = process.env.JC_TEST_PG_BIN ?? newest();
  const directory = mkdtempSync(join(tmpdir(), "jc-pg-"));
  chmodSync(directory, 0o755);
  if (isRoot()) execFileSync("chown", ["postgres:postgres", directory]);
  const data = join(directory, "data");
  const [initdb, ...itsWords] = asServerUser(join(bin, "initdb"));
  const cluster = ["-D", data, "-A", "trust", "-U", "jc", "-E", "UTF8", "--locale=C", "--no-instructions"];
  execFileSync(initdb, [...itsWords, ...cluster], { stdio: "ignore" });
  const options = [`unix_socket_directories=${directory}`, "listen_addresses=", ...settings];
  const argv = [
    ...asServerUser(join(bin, "postgres")),
    "-D",
    data,
    ...options.flatMap((each) => ["-c", each]),
  ];
  const server = spawn("sh", ["-c", GUARD, directory, ...argv], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  const ended = new Promise((resolve) => server.once("exit", resolve));
  const urlOf = (database) => `postgres://jc@/${database}?host=${encodeURIComponent(directory)}`;
  await answering(urlOf("postgres"));
  let last = 0;
  return {
    /** A new one; `drop` takes it away, whoever is still in it. */
    database: async () => {
      last += 1;
      const name = `bench_${last}`;
      await askOnce(urlOf("postgres"), `CREATE DATABASE ${name}`);
      // What was written before is none of the next one's.
      await askOnce(urlOf("postgres"), "CHECKPOINT");
      return {
        url: urlOf(name),
        drop: () => askOnce(urlOf("postgres"), `DROP DATABASE ${name} WITH (FORCE)`),
      };
    },
    /** Processor time of all the server's processes so far, in seconds; null where the system does not tell. */
    cpuSeconds: () => cpuSecondsOf(Number(readFileSync(join(data, "postmaster.pid"), "utf8").split("\n")[0])),
    stop: async () => {
      server.stdin.end();
      await ended;
    },
  };
}

export async function askOnce(url, statement, values) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(statement, values)).rows;
  } finally {
    await client.end();
  }
}

async function answering(url) {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await askOnce(url, "SELECT 1");
    } catch (error) {
      if (Date.now() > until) throw error;
      await sleep(50);
    }
  }
}

function newest() {
  const versions = existsSync(ROOT) ? readdirSync(ROOT).sort((a, b) => b - a) : [];
  if (versions.length === 0)
    throw new Error("there is no PostgreSQL server here; Debian's package is postgresql");
  return join(ROOT, versions[0], "bin");
}

const isRoot = () => userInfo().uid === 0;

/** PostgreSQL refuses to run as root. */
function asServerUser(command) {
  return isRoot()
    ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", command]
    : [command];
}

/** Those that live, and those that have ended. */
function cpuSecondsOf(postmaster) {
  try {
    const children = readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, "utf8")
      .trim()
      .split(" ");
    const own = ticksOf(postmaster);
    const living = children.filter(Boolean).map((pid) => ticksOf(pid).slice(0, 2));
    return [own, ...living].flat().reduce((sum, each) => sum + each, 0) / 100;
  } catch {
    return null;
  }
}

/** Of the process (user, system) and of its children that ended (user, system). */
function ticksOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ");
  return fields.slice(11, 15).map(Number);
}
