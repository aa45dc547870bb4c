// How soon a result is where people look: from the webhook's 202 to the moment the vendor has the contact's call in
// its hands, on a system with nothing else to do. The sender and the vendor are in this process, under one clock.
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { requestOf, SECRET } from "./events.js";
import { confirmAll } from "./confirm-all.js";
import { openPortal, UPSERT } from "./portal.js";
import { sendOne } from "./send-one.js";

const EVENTS = Number(process.env.BENCH_EVENTS ?? 300);
/** Long enough that each finds the system idle. */
const EVERY_MS = 100;
const WARM_UP = Math.min(20, EVENTS);
const PATIENCE_MS = 10_000;
const GOAL = { p50: 8, p99: 30 };

export async function freshness({ log }) {
  const portal = await openPortal({ limit: "none", tier: "none" });
  const arrivedAt = new Map();
  const vendor = await startVendor((email) => arrivedAt.set(email, performance.now()));
  try {
    await portal.run(["secrets", "set", "jobcannon.webhook-secret"], { input: Readable.from([SECRET]) });
    await portal.connect();
    const serving = portal.start(["serve"], { env: { JC_HUBSPOT_API_BASE: vendor.url } });
    const { listening: host } = JSON.parse(await serving.line("stdout", /listening/));
    const figures = [];
    for (let n = 0; n < WARM_UP + EVENTS; n++) {
      const acknowledgedAt = await sendOne(requestOf(n, { host, path: "/jobcannon/events" }), host);
      const arrived = await arrivalOf(`candidate.${n}@example.org`, arrivedAt);
      if (n >= WARM_UP) figures.push(Math.max(0, arrived - acknowledgedAt));
      await sleep(EVERY_MS);
    }
    await serving.stop();
    return rowsOf(figures, log);
  } finally {
    vendor.close();
    await portal.close();
  }
}

function rowsOf(figures, log) {
  const sorted = figures.toSorted((a, b) => a - b);
  const percentile = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  log({ what: "webhook to vendor", ms: figures });
  return Object.entries(GOAL).map(([name, most]) => {
    const figure = percentile(Number(name.slice(1)) / 100);
    return {
      what: `freshness: webhook acknowledged to the vendor's call, ${name}`,
      median: `${figure.toFixed(1)} ms`,
      spread: `${percentile(0).toFixed(1)}–${percentile(1).toFixed(1)} ms`,
      goal: `≤ ${most} ms`,
      isHeld: figure <= most,
      notes: `${figures.length} events, one every ${EVERY_MS} ms`,
    };
  });
}

async function arrivalOf(email, arrivedAt) {
  const deadline = performance.now() + PATIENCE_MS;
  while (!arrivedAt.has(email)) {
    if (performance.now() > deadline) throw new Error(`${email} did not arrive`);
    await sleep(1);
  }
  return arrivedAt.get(email);
}

/** Notes when a call has been read, before it answers. */
async function startVendor(onContact) {
  const server = createServer((request, response) => {
    if (!request.url.startsWith(UPSERT)) return response.writeHead(404).end();
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const { inputs } = JSON.parse(Buffer.concat(chunks).toString());
      for (const { id } of inputs) onContact(id);
      confirmAll(response, inputs);
    });
  });
  server.keepAliveTimeout = 0;
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
