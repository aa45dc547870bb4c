// The admin page over a log of a hundred thousand invites of fifty orgs, all delivered: how long a browser waits for the
// first byte of each page.
import { request } from "node:http";
import { fileURLToPath } from "node:url";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { connectOrgs, orgOf } from "./connect-orgs.js";
import { bodyOf, SECRET } from "./events.js";
import { freePort, openPortal } from "./portal.js";
import { startScript } from "./program.js";
import { median } from "./table.js";

const INVITES = Number(process.env.BENCH_PAGE_INVITES ?? 100_000);
const ORGS = Number(process.env.BENCH_PAGE_ORGS ?? 50);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 21);
const GOAL_MS = 200;
const LOOK_EVERY_MS = 250;
const PATIENCE_MS = 900_000;

export async function page({ log }) {
  const portal = await openPortal({ limit: "none", tier: "none" });
  const vendor = startScript([fileURLToPath(new URL("instant-vendor.js", import.meta.url))], { env: {} });
  let serving = null;
  try {
    const vendorUrl = await vendor.line("stdout", /./);
    const [port, adminPort] = [await freePort(), await freePort()];
    const env = {
      JC_SERVE_LISTEN: `127.0.0.1:${port}`,
      JC_SERVE_PUBLIC_URL: `http://localhost:${port}`,
      JC_SERVE_ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
    };
    for (const [name, value] of Object.entries({
      "hubspot.client-secret": "bench",
      "jobcannon.webhook-secret": SECRET,
    }))
      await portal.run(["secrets", "set", name], { input: Readable.from([value]) });
    await connectOrgs(portal, ORGS, env);
    await portal.importInvites(0, INVITES, (n) => bodyOf(n, orgOf(n % ORGS)));
    serving = portal.start(["serve"], {
      env: { ...env, JC_HUBSPOT_API_BASE: vendorUrl },
      timeoutMs: PATIENCE_MS * 2,
    });
    await serving.line("stdout", /listening/);
    const ended = serving.finished.then(() => {
      throw new Error("serve ended");
    });
    await Promise.race([allDelivered(portal), ended]);
    ended.catch(() => {});
    const link = new URL(JSON.parse((await portal.run(["admin", "link"], { env })).stdout).url);
    const cookie = await signIn(link);
    const rows = [];
    for (const [what, path] of pagesOf()) {
      const times = [];
      for (let round = 0; round < ROUNDS; round++) times.push(await firstByteMs(link.origin + path, cookie));
      log({ what: "page", page: what, times });
      rows.push(rowOf(what, times));
    }
    return rows;
  } finally {
    await serving?.stop().catch(() => {});
    await vendor.stop().catch(() => {});
    await portal.close();
  }
}

function pagesOf() {
  const home = "/admin/integrations";
  const org = orgOf(2);
  const invitation = JSON.parse(bodyOf(2, org)).data.invitation_id;
  return [
    ["integrations, 20 orgs", home],
    ["integrations, the last ones", `${home}?page=3`],
    ["HubSpot log", `${home}/hubspot/logs?org=${org}`],
    ["HubSpot log, an outcome that nothing has", `${home}/hubspot/logs?org=${org}&outcome=rejected`],
    ["SmartRecruiters log", `${home}/smartrecruiters/logs?org=${org}`],
    ["the road of a result", `${home}/candidate?org=${org}&invite=${invitation}`],
    ["audit", "/admin/audit"],
  ];
}

async function allDelivered(portal) {
  const deadline = performance.now() + PATIENCE_MS;
  while (portal.countPushes("delivered") < INVITES) {
    if (performance.now() > deadline) throw new Error(`${portal.countPushes("pending")} results wait`);
    await sleep(LOOK_EVERY_MS);
  }
}

async function signIn({ origin, searchParams }) {
  const headers = { "content-type": "application/x-www-form-urlencoded", origin };
  const body = `link=${searchParams.get("link")}`;
  const answer = await ask(`${origin}/admin/sign-in`, { method: "POST", headers }, body);
  return answer.headers["set-cookie"][0].split(";")[0];
}

async function firstByteMs(url, cookie) {
  const beganAt = performance.now();
  const { statusCode, firstAt } = await ask(url, { headers: { cookie } });
  if (statusCode !== 200) throw new Error(`${url} was answered with ${statusCode}`);
  return firstAt - beganAt;
}

function ask(url, options, body) {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent: false, ...options }, (answer) => {
      const firstAt = performance.now();
      const { statusCode, headers } = answer;
      answer.resume().once("end", () => resolve({ statusCode, headers, firstAt }));
    });
    asked.once("error", reject).end(body);
  });
}

function rowOf(what, times) {
  const middle = median(times);
  return {
    what: `page: ${what}, first byte`,
    median: `${middle.toFixed(1)} ms`,
    spread: `${Math.min(...times).toFixed(1)}–${Math.max(...times).toFixed(1)} ms`,
    goal: `≤ ${GOAL_MS} ms`,
    isHeld: middle <= GOAL_MS,
    notes: `${INVITES.toLocaleString("en-US")} invites, ${ORGS} orgs`,
  };
}
