// Durable intake: webhooks acknowledged a second, each after its rows are on disk, beside a bare server that writes
// the same rows into the same tables. The org's HubSpot connection waits for consent, so that every event raises a
// push and no delivery disturbs.
import { execFileSync, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { bodyOf, ORG, SECRET } from "./events.js";
import { median } from "./table.js";

const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const PROGRAM = here("../bin/jc-integrations.js");
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const REQUESTS = Number(process.env.BENCH_REQUESTS ?? 40_000);
export const LOAD = { path: "/jobcannon/events", connections: 64, warmUp: REQUESTS / 8, count: REQUESTS };

export const SERVE = [PROGRAM, "serve", "--json"];
const SYSTEMS = [
  { what: "serve", tables: 3, argv: () => SERVE },
  { what: "bare server, same rows", tables: 3, argv: (file) => [here("bare-server.js"), file, "all"] },
  {
    what: "bare server, event row alone",
    tables: 1,
    argv: (file) => [here("bare-server.js"), file, "event"],
  },
];
const GOAL = 0.9;

export async function ingest({ log }) {
  const runs = SYSTEMS.map((system) => ({ ...system, results: [] }));
  for (let round = 0; round < ROUNDS; round++) {
    for (const { what, tables, argv, results } of runs) {
      const result = await measure(argv, tables);
      results.push(result);
      log({ what, round, ...result });
    }
  }
  const [ours, bare] = runs.map(({ results }) => results.map(({ perSecond }) => perSecond));
  // Within a round, since what else the machine does changes from round to round.
  const ratio = median(ours.map((perSecond, round) => perSecond / bare[round]));
  return runs.map(({ what, results }, index) => {
    const figures = results.map(({ perSecond }) => perSecond);
    const middle = (name) => median(results.map((result) => result[name])).toFixed(1);
    return {
      what: `ingest: ${what}`,
      median: `${Math.round(median(figures)).toLocaleString("en-US")}/s`,
      spread: `${Math.round(Math.min(...figures))}–${Math.round(Math.max(...figures))}`,
      notes: `p50 ${middle("p50")} ms, p99 ${middle("p99")} ms`,
      ...(index === 0 ? { ratio: `${ratio.toFixed(2)} ×`, goal: `≥ ${GOAL} ×`, isHeld: ratio >= GOAL } : {}),
    };
  });
}

/** One run on a store of its own; what was acknowledged is counted in the file afterwards. */
async function measure(argv, tables) {
  const stateDir = mkdtempSync(join(tmpdir(), "jc-bench-"));
  const file = join(stateDir, "log.db");
  const env = settings(stateDir);
  let cpuSeconds = null;
  try {
    prepare(file, env);
    const { server, address, ended } = await startServer(argv(file), env);
    const sent = await send({ ...LOAD, address }).finally(() => {
      cpuSeconds = cpuOf(server.pid);
      server.kill("SIGTERM");
    });
    await ended;
    verify(file, tables, sent.accepted);
    return { perSecond: sent.accepted / sent.seconds, ...sent, cpuSeconds };
  } finally {
    rmSync(stateDir, { recursive: true });
  }
}

/** Both kinds print one line of JSON with their address once they listen. */
export async function startServer(argv, env) {
  const stdio = ["ignore", "pipe", "inherit"];
  const server = spawn(process.execPath, [...profiling(), ...argv], { env, stdio });
  const ended = once(server, "exit");
  const tooSoon = ended.then(() => {
    throw new Error(`${argv.join(" ")} ended before it listened`);
  });
  const [line] = await Promise.race([once(createInterface(server.stdout), "line"), tooSoon]);
  tooSoon.catch(() => {});
  return { server, address: JSON.parse(line).listening, ended };
}

/** All the program is told: what the machine is set up for shall not matter. */
export function settings(stateDir) {
  return {
    XDG_CONFIG_HOME: stateDir,
    JC_STATE_DIR: stateDir,
    JC_ORG: ORG,
    JC_SERVE_LISTEN: "127.0.0.1:0",
    JC_SERVE_ADMIN_LISTEN: "127.0.0.1:0",
    JC_LOG_LEVEL: "error",
    JC_VAULT_BACKEND: "sealed",
    JC_VAULT_KEY_FILE: join(stateDir, "vault.key"),
  };
}

const profiling = () =>
  process.env.BENCH_PROFILE ? ["--cpu-prof", "--cpu-prof-dir", process.env.BENCH_PROFILE] : [];

/** Both systems start from the program's own tables, with the secret set, a connection that is held, and one event. */
export function prepare(file, env, first = "first") {
  setSecret(env);
  runWith(env, ["run", "retry"]);
  const db = new Database(file);
  db.prepare(`
    INSERT INTO connections (id, org, vendor, environment, subject_kind, hold_cause, state, account_id, details)
    VALUES (1, ?, 'hubspot', 'production', 'contact', 'reconnect', 'must_reconnect', '1', ?)
  `).run(ORG, JSON.stringify({ account: null, scopes: [], missingScopes: [] }));
  db.close();
  runWith(env, ["invites", "import", "-"], `${bodyOf(first)}\n`);
}

export function setSecret(env) {
  runWith(env, ["secrets", "set", "jobcannon.webhook-secret"], SECRET);
}

export function runWith(env, argv, input) {
  execFileSync(process.execPath, [PROGRAM, ...argv], { env, input, stdio: "pipe" });
}

/** All its threads, its start and the warming up included; null where the system does not tell. */
export function cpuOf(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return null;
  }
}

export async function send(load) {
  const sender = fork(here("load.js"));
  const ended = once(sender, "exit").then(() => {
    throw new Error("the sender gave up");
  });
  sender.send(load);
  const [result] = await Promise.race([once(sender, "message"), ended]);
  await ended.catch(() => {});
  return result;
}

function verify(file, tables, accepted) {
  const all = 1 + LOAD.warmUp + LOAD.count;
  if (accepted !== LOAD.count) throw new Error(`only ${accepted} of ${LOAD.count} were acknowledged`);
  const db = new Database(file, { readonly: true });
  for (const table of ["events", "invites", "pushes"].slice(0, tables)) {
    const count = db.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
    if (count !== all) throw new Error(`${table}: ${count} rows for ${all} acknowledged events`);
  }
  db.close();
}
