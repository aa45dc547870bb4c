// Many orgs, each connected to a portal of its own by a link: `connect --via-service` makes it, and one `serve` takes
// what the portal's admin answers.
import { get, request } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "better-sqlite3";

const AT_ONCE = 4;
const FIRST_PORTAL = 9_000_000;
const LOOK_EVERY_MS = 50;
const PATIENCE_MS = 1_800_000;

export const orgOf = (index) => `org-${index}`;

/** `env` says where `serve` is reached. Returns when all are ready for results. */
export async function connectOrgs(portal, count, env) {
  const serving = portal.start(["serve"], { env, timeoutMs: PATIENCE_MS });
  await serving.line("stdout", /listening/);
  let next = 0;
  const connectSome = async () => {
    while (next < count) await connectOne(portal, next++, env);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, connectSome));
  await untilReady(portal, count);
  await serving.stop();
}

async function connectOne(portal, index, env) {
  const id = FIRST_PORTAL + index;
  const argv = ["connect", "hubspot", "--via-service", "--org", orgOf(index), "--account", String(id)];
  const { stdout } = await portal.run(argv, { env });
  const { url } = JSON.parse(stdout);
  const pressed = await press(url);
  const cookie = pressed.headers["set-cookie"][0].split(";")[0];
  // As an admin of several portals does who names one of them.
  const consent = pressed.headers.location.replace("/oauth/", `/oauth/${id}/`);
  const approved = await visitOnce(consent);
  const back = await visitOnce(approved.headers.location, { cookie });
  if (back.statusCode >= 400)
    throw new Error(`the consent for ${orgOf(index)} was answered with ${back.statusCode}`);
}

/** Where too many are at it, the page asks its visitor to come back. */
async function press(url) {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const page = await visitOnce(url, { method: "POST", origin: new URL(url).origin });
    if (page.statusCode === 303) return page;
    if (page.statusCode !== 503 || performance.now() > deadline)
      throw new Error(`a link was answered with ${page.statusCode}`);
    await sleep(LOOK_EVERY_MS);
  }
}

function visitOnce(url, { method = "GET", ...headers } = {}) {
  return new Promise((resolve, reject) => {
    const send = method === "GET" ? get : request;
    const asked = send(url, { method, headers }, (answer) => {
      answer.resume();
      answer.once("end", () => resolve(answer));
    });
    asked.once("error", reject).end();
  });
}

/** The fields are made after the admin was told. */
async function untilReady(portal, count) {
  const db = new Database(join(portal.stateDir, "log.db"), { readonly: true });
  const ready = db
    .prepare("SELECT count(*) FROM connections WHERE details ->> 'knownFields' IS NOT NULL")
    .pluck();
  const deadline = performance.now() + PATIENCE_MS;
  try {
    while (ready.get() < count) {
      if (performance.now() > deadline) throw new Error(`only ${ready.get()} of ${count} orgs became ready`);
      await sleep(LOOK_EVERY_MS);
    }
  } finally {
    db.close();
  }
}
