// Many customers on one service: does each get its share, and what does one more cost those that are there? So many
// orgs, each connected to a portal of its own, beside a log of ten of them in the same run.
import { Agent, request as call } from "node:http";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { connectOrgs, orgOf } from "./connect-orgs.js";
import { bodyOf, SECRET, signedOf } from "./events.js";
import { cpuOf, SECONDS, SETTLE_MS } from "./idle.js";
import { freePort, openPortal } from "./portal.js";
import { statusMs } from "./scale.js";
import { watchVendor } from "./watched-vendor.js";

const SIZES = (process.env.BENCH_ORGS ?? "10,1000").split(",").map(Number);
/** Of each org, once all at once and once by and by. */
const INVITES = Number(process.env.BENCH_INVITES ?? 100);
const TRICKLE_MS = Number(process.env.BENCH_TRICKLE ?? INVITES) * 1_000;
/** So that a token's whole life lies within the trickle. */
const TOKEN_SECONDS = Math.floor((TRICKLE_MS * 0.8) / 1_000);
/** While nothing comes and no token is due. */
const LONG_TOKEN_SECONDS = 86_400;
const CALM = { forMs: 10_000, cpuMs: 20 };
const TICK_MS = 10;
const LOOK_EVERY_MS = 50;
const PATIENCE_MS = 1_800_000;
/** A sender that waits for an answer sends nothing more over that connection. */
const SENDER_CONNECTIONS = 64;
/** Of fewer draws chance alone decides how far they lie apart. */
const FEWEST_DRAWS = 100;
const GOAL = { wait: 2, growth: 1.5, refreshes: 0.1 };

export async function orgs({ log }) {
  const measured = [];
  for (const size of SIZES) {
    const result = await measure(size);
    measured.push(result);
    log({ what: "orgs", ...result });
  }
  return measured.flatMap((result) => rowsOf(result, measured[0]));
}

async function measure(size) {
  const portal = await openPortal({ limit: "100/10s", tier: "free" });
  const waits = createWaits(size);
  const vendor = await watchVendor(portal.hubspot, waits.arrived);
  let serving = null;
  try {
    const port = await freePort();
    const env = { JC_SERVE_LISTEN: `127.0.0.1:${port}`, JC_SERVE_PUBLIC_URL: `http://localhost:${port}` };
    for (const [name, value] of Object.entries({
      "hubspot.client-secret": "bench",
      "jobcannon.webhook-secret": SECRET,
    }))
      await portal.run(["secrets", "set", name], { input: Readable.from([value]) });
    const connectingAt = performance.now();
    await portal.control("POST", "/settings", { accessTokenSeconds: LONG_TOKEN_SECONDS });
    await connectOrgs(portal, size, env);
    const connectingMs = performance.now() - connectingAt;

    const body = (n) => bodyOf(n, orgOf(n % size));
    await portal.importInvites(0, size * INVITES, body);
    serving = portal.start(["serve"], {
      env: { ...env, JC_HUBSPOT_API_BASE: vendor.url },
      timeoutMs: PATIENCE_MS * 3,
    });
    await serving.line("stdout", /listening/);
    const beganAt = performance.now();
    for (let n = 0; n < size * INVITES; n++) waits.began(n, beganAt);
    const atOnce = await waits.allOver();

    await sleep(SETTLE_MS);
    await untilCalm(serving.pid);
    const idleMs = await cpuWhile(serving.pid, SECONDS * 1_000);
    const status = await statusMs(portal, "--org", orgOf(0));

    await portal.control("POST", "/settings", { accessTokenSeconds: TOKEN_SECONDS });
    await vendor.endAccessTokens();
    vendor.refreshes.clear();
    await trickle({ host: env.JC_SERVE_LISTEN, size, waits });
    const trickling = await waits.allOver();
    const { peak } = serving.memory;
    const refreshSpread = spreadOf([...vendor.refreshes.values()].map(([, second]) => second));
    vendor.refreshes.clear();
    const refreshingMs = await cpuWhile(serving.pid, SECONDS * 1_000);
    const refreshes = [...vendor.refreshes.values()].flat().length;
    const refreshMs = (refreshingMs - idleMs) / refreshes;
    return {
      size,
      connectingMs,
      atOnce,
      trickling,
      refreshSpread,
      idleMs,
      refreshes,
      refreshMs,
      status,
      peak,
    };
  } finally {
    await serving?.stop().catch(() => {});
    vendor.close();
    await portal.close();
  }
}

/** How long each org's slowest result waited from `began` to `arrived`. */
function createWaits(size) {
  const underWay = new Map();
  let longest = new Map();
  return {
    began: (n, at) => underWay.set(`candidate.${n}@example.org`, { org: n % size, at }),
    arrived: (email, at) => {
      const begun = underWay.get(email);
      if (!begun) return;
      underWay.delete(email);
      longest.set(begun.org, Math.max(longest.get(begun.org) ?? 0, at - begun.at));
    },
    /** Returns the orgs' longest waits in ms, and forgets them. */
    allOver: async () => {
      const deadline = performance.now() + PATIENCE_MS;
      while (underWay.size > 0) {
        if (performance.now() > deadline) throw new Error(`${underWay.size} results did not arrive`);
        await sleep(LOOK_EVERY_MS);
      }
      const all = [...longest.values()].sort((a, b) => a - b);
      longest = new Map();
      return { middle: all[all.length >> 1], most: all.at(-1), least: all[0] };
    },
  };
}

/** Signed webhooks, one org after the other, at an even pace. Returns when the last was acknowledged. */
async function trickle({ host, size, waits }) {
  const agent = new Agent({ keepAlive: true, maxSockets: SENDER_CONNECTIONS });
  const [first, count] = [size * INVITES, size * INVITES];
  const beganAt = performance.now();
  const answers = [];
  for (let sent = 0; sent < count; ) {
    const dueByNow = Math.ceil(((performance.now() - beganAt) / TRICKLE_MS) * count);
    for (; sent < Math.min(dueByNow, count); sent++) {
      const n = first + sent;
      // Where the vendor is faster than the answer to its sender, it waited from here on, too.
      waits.began(n, performance.now());
      answers.push(post(host, agent, signedOf(n, orgOf(n % size))));
    }
    await sleep(TICK_MS);
  }
  await Promise.all(answers);
  agent.destroy();
}

function post(host, agent, { headers, body }) {
  return new Promise((resolve, reject) => {
    const url = `http://${host}/jobcannon/events`;
    const asked = call(url, { method: "POST", headers, agent }, (answer) => {
      answer.resume();
      if (answer.statusCode !== 202) reject(new Error(`a webhook was answered with ${answer.statusCode}`));
      answer.once("end", resolve);
    });
    asked.once("error", reject).end(body);
  });
}

/** What the load left to be done, as the first backup of what came, is over. */
async function untilCalm(pid) {
  const deadline = performance.now() + PATIENCE_MS;
  while ((await cpuWhile(pid, CALM.forMs)) > CALM.cpuMs)
    if (performance.now() > deadline) throw new Error("serve does not come to rest");
}

async function cpuWhile(pid, ms) {
  const before = cpuOf(pid);
  await sleep(ms);
  return cpuOf(pid) - before;
}

/** In which part of a token's life the middle four fifths of these times lie; null where there are none. */
function spreadOf(times) {
  const sorted = times.filter((at) => at !== undefined).sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  const at = (share) => sorted[Math.floor((sorted.length - 1) * share)];
  return { count: sorted.length, part: (at(0.9) - at(0.1)) / (TOKEN_SECONDS * 1_000) };
}

function rowsOf(result, smallest) {
  const { size, connectingMs, atOnce, trickling, refreshSpread, idleMs, refreshes, refreshMs, status, peak } =
    result;
  const name = `orgs ${size.toLocaleString("en-US")}`;
  const fair = (what, { middle, most, least }, notes) => ({
    what: `${name}: ${what}, an org's longest wait`,
    median: `${middle.toFixed(0)} ms`,
    spread: `${least.toFixed(0)}–${most.toFixed(0)} ms`,
    ratio: `${(most / middle).toFixed(2)} ×`,
    goal: `≤ ${GOAL.wait} ×`,
    isHeld: most <= GOAL.wait * middle,
    notes,
  });
  const flat = (what, value, unit, base, notes = "") => ({
    what: `${name}: ${what}`,
    median: `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`,
    notes,
    ...(result === smallest
      ? {}
      : {
          ratio: `${(value / base).toFixed(2)} ×`,
          goal: `≤ ${GOAL.growth} ×`,
          isHeld: value <= GOAL.growth * base,
        }),
  });
  return [
    fair(`${INVITES} invites each at once`, atOnce, `connected in ${(connectingMs / 1_000).toFixed(0)} s`),
    fair(`${INVITES} each in ${TRICKLE_MS / 1_000} s`, trickling, `memory at most ${peak.toFixed(0)} MB`),
    {
      what: `${name}: refreshes of tokens that all began at once`,
      median: refreshSpread === null ? "none" : `${(refreshSpread.part * 100).toFixed(0)} % of their life`,
      ...(size < FEWEST_DRAWS
        ? {}
        : {
            goal: `≥ ${GOAL.refreshes * 100} %`,
            isHeld: refreshSpread !== null && refreshSpread.part >= GOAL.refreshes,
          }),
      notes: `in which the middle 80 % of ${refreshSpread?.count ?? 0} lie; a life of ${TOKEN_SECONDS} s`,
    },
    flat(
      "idle, processor time a second",
      idleMs / SECONDS,
      "ms",
      smallest.idleMs / SECONDS,
      `over ${SECONDS} s, no token due`,
    ),
    flat(
      "one refresh of a token, processor time",
      refreshMs,
      "ms",
      smallest.refreshMs,
      `${refreshes} in ${SECONDS} s`,
    ),
    flat("status", status, "ms", smallest.status),
  ];
}
