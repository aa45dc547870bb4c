// A place to measure in: a state directory, the emulator as its HubSpot, and the program connected to it.
import { mkdtempSync, rmSync } from "node:fs";
import { get } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import Database from "better-sqlite3";
import { bodyOf, ORG } from "./events.js";
import { startProgram } from "./program.js";

export const UPSERT = "/crm/v3/objects/contacts/batch/upsert";
const LINES_PER_CHUNK = 200;

/** `limit` is what the emulator enforces, `tier` what the program believes; `env`: what else it is told. */
export async function openPortal({ limit, tier, env: more = {} }) {
  const stateDir = mkdtempSync(join(tmpdir(), "jc-bench-"));
  const argv = ["emulator", "--port", "0", "--auto-approve", "--hubspot-limit", limit, "--json"];
  const emulator = startProgram(argv, { env: {}, timeoutMs: 1_800_000 });
  try {
    const { url, hubspot } = JSON.parse(await emulator.line("stdout", /./));
    const env = {
      XDG_CONFIG_HOME: stateDir,
      JC_STATE_DIR: stateDir,
      JC_ORG: ORG,
      JC_HUBSPOT_CLIENT_ID: "bench",
      JC_HUBSPOT_API_BASE: hubspot,
      JC_HUBSPOT_AUTHORIZE_URL: `${hubspot}/oauth/authorize`,
      JC_HUBSPOT_REDIRECT_PORT: String(await freePort()),
      JC_HUBSPOT_TIER: tier,
      JC_SERVE_LISTEN: "127.0.0.1:0",
      JC_SERVE_ADMIN_LISTEN: "127.0.0.1:0",
      JC_LOG_LEVEL: "error",
      JC_VAULT_BACKEND: "sealed",
      JC_VAULT_KEY_FILE: join(stateDir, "vault.key"),
      ...more,
    };
    const start = (argv, options = {}) =>
      startProgram([...argv, "--json"], { ...options, env: { ...env, ...options.env } });
    return {
      stateDir,
      hubspot,
      start,
      run: (argv, options) => start(argv, options).finished,
      control: (method, path, body) => control(`${url}/_control/hubspot${path}`, method, body),
      upserts: async () => {
        const requests = await control(`${url}/_control/hubspot/requests`, "GET");
        return requests
          .filter(({ path }) => path === UPSERT)
          .map((request) => ({ ...request, at: Date.parse(request.at) }));
      },
      importInvites: (from, until, body = bodyOf) =>
        start(["invites", "import", "-"], { input: Readable.from(chunksOf(from, until, body)) }).finished,
      connect: () => connect(start),
      countPushes: (state) => countPushes(stateDir, state),
      close: async () => {
        await emulator.stop();
        rmSync(stateDir, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await emulator.stop().catch(() => {});
    rmSync(stateDir, { recursive: true, force: true });
    throw error;
  }
}

function* chunksOf(from, until, body) {
  for (let n = from; n < until; n += LINES_PER_CHUNK) {
    const length = Math.min(LINES_PER_CHUNK, until - n);
    yield Array.from({ length }, (_, index) => `${body(n + index)}\n`).join("");
  }
}

async function connect(start) {
  const secret = start(["secrets", "set", "hubspot.client-secret"], { input: Readable.from(["bench"]) });
  await secret.finished;
  const connecting = start(["connect", "hubspot", "--no-browser"], { timeoutMs: 60_000 });
  const { consentUrl } = JSON.parse(await connecting.line("stderr", /"consentUrl"/));
  await visit(consentUrl);
  await connecting.finished;
}

/** Goes where a page sends its visitor, as a browser does. Returns where it would have gone beyond this machine's `until`. */
export async function visit(url, until = null) {
  let next = url;
  while (next !== null && (until === null || !next.startsWith(until))) {
    const from = next;
    next = await new Promise((resolve, reject) => {
      get(from, (page) => {
        page.resume();
        const { location } = page.headers;
        page.once("end", () => resolve(location ? new URL(location, from).href : null));
      }).once("error", reject);
    });
  }
  return next;
}

async function control(url, method, body) {
  const answer = await fetch(url, { method, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
  return answer.status === 204 ? null : await answer.json();
}

function countPushes(stateDir, state) {
  const db = new Database(join(stateDir, "log.db"), { readonly: true });
  try {
    return db.prepare("SELECT coalesce(sum(n), 0) FROM push_counts WHERE state = ?").pluck().get(state);
  } finally {
    db.close();
  }
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
