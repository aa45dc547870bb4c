/** The built `serve` under inputs by the thousand: signed and unsigned, of both sources, and at the pages of a consent. */
import { join } from "node:path";
import { connect } from "node:net";
import Database from "better-sqlite3";
import { Agent } from "undici";
import { expect, test } from "vitest";
import * as v from "valibot";
import { fold } from "../../src/core/fold.ts";
import type { Invite } from "../../src/core/invite.ts";
import { ERROR_CODES } from "../../src/shared/errors.ts";
import { parseEvent as parseSmartrecruiters } from "../../src/vendors/smartrecruiters/v1/event.ts";
import { parseEvent as parseJobcannon } from "../../src/vendors/jobcannon/event.ts";
import { linkFor, press, publicWorld, secretIn } from "../connect/linked.ts";
import { launchService, type Service } from "../end-to-end/program.ts";
import { ORG, succeed, type World } from "../world.ts";
import { type Input, inputOf, type Known } from "./fuzz-inputs.ts";

const INPUTS = Number(process.env.JC_TEST_FUZZ ?? 20_000);
const SEED = Number(process.env.JC_TEST_SEED ?? 16);
/** Fewer than the pages of a consent take at once. */
const AT_ONCE = 6;
const EXIT_DONE = 0;
const EXIT_PARTIAL = ERROR_CODES.PARTIAL.exit;
const SMARTRECRUITERS_SECRET = "0123456789abcdef0123456789abcdef0123456789abcdef";

test(`${INPUTS} inputs from seed ${SEED} crash nothing, meet no 5xx, and leave nothing that the next read rejects`, async () => {
  const { world, service, known } = await fuzzed();
  const counts = await sendAll(service, known);
  console.log(JSON.stringify({ inputs: INPUTS, seed: SEED, answers: counts }));
  expect(service.child.exitCode).toBe(null);
  // Each kind of door was come through, and each was found closed.
  for (const status of [200, 202, 303, 400, 401]) expect(counts[status]).toBeGreaterThan(INPUTS / 2_000);
  expect(service.err()).not.toMatch(/this is a bug|event not stored|link not shown|consent not taken/);

  for (const argv of READS) expect(await world.run(argv)).toMatchObject({ code: 0, err: "" });
  expect(refolded(world)).toBeGreaterThan(INPUTS / 20);
  await succeed(world, ["connect", "hubspot"]);
  // HubSpot may reject an address, as it would anybody's.
  const sent = await world.run(["backfill", "--include-in-progress", "--yes"]);
  expect([EXIT_DONE, EXIT_PARTIAL]).toContain(sent.code);
  expect(Object.keys(await world.portal.contacts()).length).toBeGreaterThan(Math.min(INPUTS / 100, 200));
  for (const argv of READS) expect(await world.run(argv)).toMatchObject({ err: "" });
  expect(service.child.exitCode).toBe(null);
}, 3_600_000);

const READS = [
  ["invites", "list", "--json", "--reveal", "--limit", "1000"],
  ["invites", "list", "--limit", "1000"],
  ["logs", "--json"],
  ["webhooks", "log", "--json"],
  ["webhooks", "log"],
  ["status", "--json"],
];

async function fuzzed(): Promise<{ world: World; service: Service; known: Known }> {
  const world = await publicWorld();
  const name = "smartrecruiters.webhook-secret";
  await succeed(world, ["secrets", "set", name, "--org", ORG], SMARTRECRUITERS_SECRET);
  const service = await launchService(world);
  const link = await linkFor(world);
  const { url, cookie } = await press(link);
  const state = new URL(url).searchParams.get("state") ?? "";
  const known = {
    smartrecruitersSecret: SMARTRECRUITERS_SECRET,
    link: secretIn(link),
    cookie,
    state,
    now: Date.now(),
  };
  return { world, service, known };
}

/** How often each status was answered; 0 stands for a connection that was closed without one. */
async function sendAll(service: Service, known: Known): Promise<Record<number, number>> {
  const agent = new Agent({ connections: AT_ONCE });
  const counts: Record<number, number> = {};
  let next = 0;
  const sender = async () => {
    while (next < INPUTS) {
      const seed = SEED * 1_000_003 + next++;
      const input = inputOf(seed, { ...known, now: Date.now() });
      const status = await (input.raw ? sendRaw(service, input.raw) : sendBy(agent, service, input)).catch(
        (error: unknown) => {
          throw new Error(`no answer to input ${seed}: ${input.method} ${input.target}`, { cause: error });
        },
      );
      if (status >= 500) throw new Error(`${status} to input ${seed}: ${input.method} ${input.target}`);
      counts[status] = (counts[status] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sender));
  await agent.close();
  return counts;
}

async function sendBy(agent: Agent, { url }: Service, input: Input): Promise<number> {
  const { method, target, headers, body } = input;
  const carried = method === "GET" || method === "HEAD" || body.length === 0 ? {} : { body };
  const answer = await agent.request({ origin: url, path: target, method, headers, ...carried });
  await answer.body.dump();
  return answer.statusCode;
}

function sendRaw({ url }: Service, bytes: Buffer): Promise<number> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) });
    let heard = "";
    socket.on("data", (chunk) => {
      heard += chunk.toString("latin1");
    });
    socket.on("close", () => resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(heard)?.[1] ?? 0)));
    socket.on("error", (error) => ("code" in error && error.code === "ECONNREFUSED" ? reject(error) : null));
    socket.end(bytes);
  });
}

const Row = v.object({ seq: v.number(), source: v.string(), event_id: v.string(), payload: v.string() });

/** Reads every stored event anew, and folds the invites from them; how many events there were. */
function refolded(world: World): number {
  const log = new Database(join(world.stateDir, "log.db"), { readonly: true });
  const rows = v.parse(v.array(Row), log.prepare("SELECT seq, source, event_id, payload FROM events").all());
  const invites = new Map<string, Invite>();
  for (const { source, event_id: eventId, payload } of rows) {
    const body = Buffer.from(payload);
    const known = { eventId, receivedAt: 0, org: ORG, environment: "production" as const };
    const event = (source === "jobcannon" ? parseJobcannon : parseSmartrecruiters)(body, known);
    if (event.snapshot === null) continue;
    const key = JSON.stringify([event.snapshot.org, event.snapshot.invitationId]);
    invites.set(key, fold(invites.get(key) ?? null, event.snapshot, event.bodyHash).invite);
  }
  const stored = v.parse(
    v.array(v.tuple([v.string(), v.string(), v.number()])),
    log.prepare("SELECT org, invitation_id, at FROM invites").raw().all(),
  );
  log.close();
  const asStored = new Map(
    stored.map(([org, invitationId, at]) => [JSON.stringify([org, invitationId]), at]),
  );
  expect(asStored).toEqual(new Map([...invites].map(([key, { at }]) => [key, at])));
  return rows.length;
}
