/** PgBouncer in transaction mode in front of a test's server. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "vitest";
import { answering, asServerUser, describeWithPostgres, type PostgresServer } from "./postgres-server.ts";

const BOUNCER = "/usr/sbin/pgbouncer";
const PORT = 6432;
/** Fewer than one process of ours would have by itself. */
const SESSIONS = 4;

/** Tests that need it; skipped, saying why, where the machine has none. */
export function describeWithPooler(name: string, work: () => void): void {
  if (existsSync(BOUNCER) || process.env.JC_TEST_ALL_PARTS === "1") describeWithPostgres(name, work);
  else describe.skip(`${name} (needs PgBouncer, as Debian's package pgbouncer brings it)`, work);
}

export interface Pooler {
  /** Any database of the server's, through it. */
  urlOf(database: string): string;
  start(): Promise<void>;
  end(): Promise<void>;
  /** Its files go as well. */
  remove(): Promise<void>;
}

/** In front of all of the server's databases; not started yet. */
export function poolerFor({ directory: server }: Pick<PostgresServer, "directory">): Pooler {
  const directory = mkdtempSync(join(tmpdir(), "jc-pooler-"));
  chmodSync(directory, 0o777);
  const file = join(directory, "pgbouncer.ini");
  writeFileSync(
    file,
    `[databases]
* = host=${server} user=jc
[pgbouncer]
unix_socket_dir = ${directory}
listen_port = ${PORT}
auth_type = any
pool_mode = transaction
default_pool_size = ${SESSIONS}
max_client_conn = 200
`,
  );
  const host = encodeURIComponent(directory);
  const urlOf = (database: string) => `postgres://jc@localhost:${PORT}/${database}?host=${host}`;
  let current: ChildProcess | null = null;
  const end = async () => {
    const child = current;
    current = null;
    if (child === null || child.exitCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  };
  return {
    urlOf,
    start: async () => {
      // It ends with this process, however that ends.
      const [command, args] = asServerUser(BOUNCER, ["--quiet", file], ["--pdeathsig=KILL"]);
      current = spawn(command, args, { stdio: "ignore" });
      await answering(urlOf("postgres"));
    },
    end,
    remove: async () => {
      await end();
      rmSync(directory, { recursive: true });
    },
  };
}
