// Measures the built program beside the plainest thing that does the same work: `node bench/run.js [suite…]`.
import { appendFileSync, mkdirSync } from "node:fs";
import { startup } from "./startup.js";
import { ingest } from "./ingest.js";
import { ingestPg } from "./ingest-pg.js";
import { flow } from "./flow.js";
import { flowJitter } from "./flow-jitter.js";
import { headroom } from "./headroom.js";
import { poison } from "./poison.js";
import { freshness } from "./freshness.js";
import { idle } from "./idle.js";
import { orgs } from "./orgs.js";
import { scale } from "./scale.js";
import { page } from "./page.js";
import { replicas } from "./replicas.js";
import { retention } from "./retention.js";
import { printTable } from "./table.js";

/** A suite takes `log`, runs for itself, and returns the table's rows. */
const SUITES = {
  ingest,
  "ingest-pg": ingestPg,
  startup,
  flow,
  "flow-jitter": flowJitter,
  headroom,
  poison,
  scale,
  freshness,
  idle,
  orgs,
  retention,
  replicas,
  page,
};

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !Object.hasOwn(SUITES, name));
if (unknown !== undefined) {
  console.error(`There is no suite ${unknown}. Suites: ${Object.keys(SUITES).join(", ")}`);
  process.exit(2);
}

const results = new URL("results/", import.meta.url);
mkdirSync(results, { recursive: true });
const rawLog = new URL(`${new Date().toISOString().replaceAll(/[:.]/g, "-")}.ndjson`, results);

const rows = [];
for (const name of asked.length > 0 ? asked : Object.keys(SUITES)) {
  const log = (measured) => appendFileSync(rawLog, `${JSON.stringify({ suite: name, ...measured })}\n`);
  rows.push(...(await SUITES[name]({ log })));
}
printTable(rows);
console.log(`\nEvery single run: ${rawLog.pathname}`);
if (rows.some(({ isHeld }) => isHeld === false)) process.exitCode = 1;
