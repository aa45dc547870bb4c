import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { dist } from "./built.ts";
import { describeWithPostgres } from "./store/postgres-server.ts";

dist();

const BENCH = fileURLToPath(new URL("../bench/run.js", import.meta.url));
const SMALL = {
  BENCH_ROUNDS: "1",
  BENCH_REQUESTS: "400",
  BENCH_CONTACTS: "200",
  BENCH_HEADROOM: "1000",
  BENCH_SCALE: "200,400",
  BENCH_DELIVERED: "100",
  BENCH_POISONS: "5",
  BENCH_EVENTS: "10",
  BENCH_IDLE: "1",
  BENCH_ORGS: "2,4",
  BENCH_INVITES: "4",
  BENCH_RETENTION: "800",
  BENCH_REPLICAS: "80",
};
/** What npm may need to reach its registry. */
const FOR_NPM = ["HOME", "NODE_EXTRA_CA_CERTS", "npm_config_registry", "HTTPS_PROXY", "https_proxy"];

/** So small a load says nothing about speed: whether a goal is held is not asked here. */
test.each([
  ["ingest", 3],
  ["startup", 4],
  ["flow", 4],
  ["flow-jitter", 8],
  ["headroom", 3],
  ["poison", 4],
  ["scale", 10],
  ["freshness", 2],
  ["idle", 4],
  ["orgs", 10],
  ["retention", 2],
])("the benchmark %s runs to its end and measures all it names", runsToItsEnd);

describeWithPostgres("the benchmarks on PostgreSQL", () => {
  test.each([
    ["ingest-pg", 3],
    ["replicas", 8],
  ])("%s runs to its end and measures all it names", runsToItsEnd);
});

function runsToItsEnd(suite: string, rows: number): void {
  const forNpm = Object.fromEntries(FOR_NPM.map((name) => [name, process.env[name]]));
  const env = { PATH: process.env.PATH, ...forNpm, ...SMALL };
  const { status, stdout, stderr } = spawnSync(process.execPath, [BENCH, suite], { encoding: "utf8", env });
  expect(stderr).toBe("");
  const measured = stdout.split("\n").filter((line) => line.startsWith(`${suite}`));
  expect(measured).toHaveLength(rows);
  expect(stdout).not.toMatch(/NaN|undefined|Infinity/);
  expect(status).toBe(stdout.includes("MISSED") ? 1 : 0);
}
