import { createHmac } from "node:crypto";
import { request } from "node:http";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { type FakeClock, fakeClock } from "../fake-clock.ts";
import { connected, freshWorld, invite, sign, until, WEBHOOK_SECRET, type World } from "../world.ts";
import { ask, type Serving, serving } from "./serving.ts";

const NEXT_SECRET = `whsec_${Buffer.from("the receiver's second secret").toString("base64")}`;

interface Stage extends Serving {
  world: World;
  clock: FakeClock;
}

/** A receiver with its webhook secret, and a clock that stands still. */
async function receiving(): Promise<Stage> {
  const clock = fakeClock();
  const world = await freshWorld({ clock });
  await addSecret(world, WEBHOOK_SECRET);
  return { world, clock, ...(await serving(world)) };
}

async function addSecret(world: World, secret: string, ...more: string[]): Promise<void> {
  const argv = ["secrets", "set", "jobcannon.webhook-secret", ...more];
  const { code } = await world.run(argv, { stdin: secret });
  expect(code).toBe(0);
}

async function eventsStored(world: World): Promise<unknown> {
  const { json } = await world.run(["status", "--json"]);
  return json;
}

const NOTHING_STORED = { events: { total: 0, ignored: 0, conflicts: 0 }, invites: 0 };

describe("a webhook is taken", () => {
  test("with 202, once it is stored", async () => {
    const { world, post } = await receiving();
    const event = invite();
    const answer = await post(event);
    expect(answer).toMatchObject({ status: 202, body: '{"status":"stored"}\n' });
    expect(await eventsStored(world)).toMatchObject({ events: { total: 1, ignored: 0 }, invites: 1 });
    const { json } = await world.run(["invites", "show", event.data.invitation_id, "--json", "--reveal"]);
    expect(json).toMatchObject({
      invite: { status: "completed", candidate: { email: event.data.candidate.email } },
    });
  });

  test("again with 202 when it comes twice, and is stored once", async () => {
    const { world, post } = await receiving();
    const event = invite();
    await post(event, { id: "msg_twice" });
    expect(await post(event, { id: "msg_twice" })).toMatchObject({
      status: 202,
      body: '{"status":"known"}\n',
    });
    expect(await eventsStored(world)).toMatchObject({ events: { total: 1, conflicts: 0 } });
  });

  test("with the id of another one too, and flagged", async () => {
    const { world, post } = await receiving();
    const [first, second] = [invite({ invitation_id: "inv_same" }), invite({ invitation_id: "inv_same" })];
    await post(first, { id: "msg_same" });
    expect(await post(second, { id: "msg_same" })).toMatchObject({
      status: 202,
      body: '{"status":"stored"}\n',
    });
    const { json } = await world.run(["invites", "show", "inv_same", "--json"]);
    expect(json).toMatchObject({
      events: [
        { eventId: "msg_same", conflict: false },
        { eventId: "msg_same", conflict: true },
      ],
    });
  });

  test("of a type we do not know, and counted as ignored", async () => {
    const { world, post } = await receiving();
    const event = { type: "invite.reminded", timestamp: "2024-05-15T10:00:00Z", data: "whatever" };
    expect(await post(event)).toMatchObject({ status: 202 });
    expect(await eventsStored(world)).toMatchObject({ events: { total: 1, ignored: 1 }, invites: 0 });
  });

  test("with a test we do not know", async () => {
    const { world, post } = await receiving();
    const tests = [{ slug: "handwriting", status: "completed", result: { score: 7 } }];
    expect(await post(invite({ tests }))).toMatchObject({ status: 202 });
    expect(await eventsStored(world)).toMatchObject({ events: { total: 1, ignored: 0 }, invites: 1 });
  });

  test("with a charset beside the content type", async () => {
    const { post } = await receiving();
    const headers = { "content-type": "application/json; charset=utf-8" };
    expect(await post(invite(), { headers })).toMatchObject({ status: 202 });
  });

  test("whichever of the active secrets signed it", async () => {
    const { world, post, clock } = await receiving();
    await addSecret(world, NEXT_SECRET);
    await clock.advance(60_000);
    expect(await post(invite(), { secret: WEBHOOK_SECRET })).toMatchObject({ status: 202 });
    expect(await post(invite(), { secret: NEXT_SECRET })).toMatchObject({ status: 202 });
  });

  test("with a secret that was set while the service ran, two seconds later at most", async () => {
    const { world, post, clock } = await receiving();
    await post(invite());
    expect(await post(invite(), { secret: NEXT_SECRET })).toMatchObject({ status: 401 });
    await addSecret(world, NEXT_SECRET);
    await clock.advance(2_000);
    expect(await post(invite(), { secret: NEXT_SECRET })).toMatchObject({ status: 202 });
  });

  test("while another sender is still busy sending", async () => {
    const { url, post, clock } = await receiving();
    const body = JSON.stringify(invite());
    const half = Math.floor(body.length / 2);
    const slow = request(`${url}/jobcannon/events`, {
      method: "POST",
      headers: sign(body, WEBHOOK_SECRET, { at: clock.now() }),
    });
    const answered = new Promise<number | undefined>((resolve, reject) => {
      slow.once("response", (response) => resolve(response.resume().statusCode)).once("error", reject);
    });
    slow.write(body.slice(0, half));
    expect(await post(invite())).toMatchObject({ status: 202 });
    slow.end(body.slice(half));
    expect(await answered).toBe(202);
  });
});

describe("a webhook is refused and leaves no trace in the store", () => {
  const unreadable: [what: string, body: string, reason: string][] = [
    ["that is empty", "", "the body is not JSON"],
    ["that is cut off", '{"type":"invite.completed","timest', "the body is not JSON"],
    ["that is no object", "[]", "the body is not an object"],
  ];
  const { data } = invite();
  const malformed: [what: string, body: string, reason: string][] = [
    ["without a type", { timestamp: "2024-05-15T10:00:00Z", data }, "type is missing"],
    ["without a timestamp", { type: "invite.sent", data }, "timestamp is missing"],
    ["without data", { type: "invite.sent", timestamp: "2024-05-15T10:00:00Z" }, "data is missing"],
    ["without an invitation", without("invitation_id"), "data.invitation_id is missing"],
    ["without an org", without("org"), "data.org is missing"],
    ["without a candidate", without("candidate"), "data.candidate is missing"],
    [
      "without an e-mail",
      { ...invite(), data: { ...data, candidate: {} } },
      "data.candidate.email is missing",
    ],
    ["without tests", without("tests"), "data.tests is missing"],
    [
      "with a status nobody knows",
      invite({ status: "paused" }),
      "data.status is not one of invited, in_progress, completed, expired, cancelled",
    ],
    [
      "with a time that is none",
      invite({ timestamp: "yesterday" }),
      "timestamp is not a time with a zone, such as 2026-11-22T10:15:00Z",
    ],
  ].map(([what, body, reason]) => [String(what), JSON.stringify(body), String(reason)]);

  function without(field: string): object {
    const event = invite();
    return { ...event, data: { ...event.data, [field]: undefined } };
  }

  test.each([...unreadable, ...malformed])("%s: 400", async (_what, body, reason) => {
    const { world, post } = await receiving();
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toEqual({ error: reason });
    expect(await eventsStored(world)).toMatchObject(NOTHING_STORED);
  });

  test("that is not UTF-8: 400", async () => {
    const { world, post, clock } = await receiving();
    const body = Buffer.from([...Buffer.from('{"type":"'), 0xff, ...Buffer.from('"}')]);
    const headers = signBytes(body, clock.now());
    expect(await post(body, { headers })).toMatchObject({
      status: 400,
      body: '{"error":"the body is not UTF-8"}\n',
    });
    expect(await eventsStored(world)).toMatchObject(NOTHING_STORED);
  });

  test("that happened an hour from now: 400", async () => {
    const { world, post, clock } = await receiving();
    const inAnHour = new Date(clock.now() + 3_600_000).toISOString();
    const answer = await post(invite({ timestamp: inAnHour }));
    expect(answer).toMatchObject({ status: 400, body: expect.stringContaining("5 minutes ahead") });
    expect(await eventsStored(world)).toMatchObject(NOTHING_STORED);
  });

  test("that somebody else signed: 401", async () => {
    const { world, post } = await receiving();
    expect(await post(invite(), { secret: NEXT_SECRET })).toMatchObject({ status: 401 });
    expect(await eventsStored(world)).toMatchObject(NOTHING_STORED);
  });

  test("that another org's own secret signed: 401", async () => {
    const { world, post, clock } = await receiving();
    await addSecret(world, NEXT_SECRET, "--org", "globex");
    await clock.advance(2_000);
    expect(await post(invite({ org: "globex" }), { secret: NEXT_SECRET })).toMatchObject({ status: 202 });
    expect(await post(invite({ org: "acme" }), { secret: NEXT_SECRET })).toMatchObject({ status: 401 });
    expect(await post(invite({ org: "globex" }), { secret: WEBHOOK_SECRET })).toMatchObject({ status: 202 });
    await addSecret(world, NEXT_SECRET, "--org", "acme");
    await clock.advance(60_000);
    for (const org of ["acme", "globex"])
      expect(await post(invite({ org }), { secret: NEXT_SECRET })).toMatchObject({ status: 202 });
  });

  test("of a type we do not know, too, where another org's own secret signed it: 401", async () => {
    const { world, post, clock } = await receiving();
    await addSecret(world, NEXT_SECRET, "--org", "globex");
    await clock.advance(2_000);
    const unknown = (org?: string) => ({
      type: "invite.reminded",
      timestamp: "2024-05-15T10:00:00Z",
      data: { org },
    });
    expect(await post(unknown("acme"), { secret: NEXT_SECRET })).toMatchObject({ status: 401 });
    expect(await eventsStored(world)).toMatchObject(NOTHING_STORED);
    for (const org of ["globex", undefined])
      expect(await post(unknown(org), { secret: NEXT_SECRET })).toMatchObject({ status: 202 });
    expect(await post(unknown("acme"), { secret: WEBHOOK_SECRET })).toMatchObject({ status: 202 });
  });

  test("that nobody signed: 401", async () => {
    const { post } = await receiving();
    expect(await post(invite(), { headers: { "webhook-signature": undefined } })).toMatchObject({
      status: 401,
      body: '{"error":"webhook-signature is missing"}\n',
    });
  });

  test("that was signed more than five minutes ago, or ahead: 401", async () => {
    const { post, clock } = await receiving();
    for (const at of [clock.now() - 301_000, clock.now() + 301_000])
      expect(await post(invite(), { at })).toMatchObject({ status: 401 });
    expect(await post(invite(), { at: clock.now() - 299_000 })).toMatchObject({ status: 202 });
  });

  test("that is compressed: 415", async () => {
    const { post } = await receiving();
    const body = gzipSync(JSON.stringify(invite()));
    expect(await post(body, { headers: { "content-encoding": "gzip" } })).toMatchObject({ status: 415 });
  });

  test.each(["text/plain", "application/x-ndjson", "application/json-seq", undefined])(
    "with the content type %s: 415",
    async (type) => {
      const { post } = await receiving();
      expect(await post(invite(), { headers: { "content-type": type } })).toMatchObject({ status: 415 });
    },
  );

  test("of 2 MiB, announced or not: 413", async () => {
    const { world, url, post } = await receiving();
    const body = Buffer.alloc(2 * 1024 * 1024, " ");
    expect(await post(body)).toMatchObject({ status: 413, body: '{"error":"the body is over 1 MiB"}\n' });
    const unannounced = await ask(`${url}/jobcannon/events`, {
      method: "POST",
      headers: sign(body, WEBHOOK_SECRET, { at: world.clock.now() }),
      body: ReadableStream.from([Uint8Array.from(body)]),
      duplex: "half",
    });
    expect(unannounced).toMatchObject({ status: 413 });
    expect(await post(invite())).toMatchObject({ status: 202 });
  });

  test("that is no POST: 405; or goes elsewhere: 404", async () => {
    const { post, get } = await receiving();
    const got = await get("/jobcannon/events");
    expect(got.status).toBe(405);
    expect(got.headers.get("allow")).toBe("POST");
    expect(await post(invite(), { method: "PUT" })).toMatchObject({ status: 405 });
    expect(await post(invite(), { path: "/jobcannon" })).toMatchObject({ status: 404 });
    expect(await get("/")).toMatchObject({ status: 404 });
  });
});

/** The published library signs texts only. */
function signBytes(body: Buffer, at: number): Record<string, string> {
  const content = `msg_bytes.${Math.floor(at / 1000)}.`;
  const key = Buffer.from(WEBHOOK_SECRET.slice("whsec_".length), "base64");
  const signature = createHmac("sha256", key).update(content).update(body).digest("base64");
  return { "webhook-id": "msg_bytes", "webhook-signature": `v1,${signature}` };
}

describe("a webhook that cannot be taken now is to be sent again", () => {
  test("while the store refuses it: 503 with Retry-After, and 202 once the trouble is over", async () => {
    const { world, post } = await receiving();
    const store = new Database(join(world.stateDir, "log.db"));
    store.exec("CREATE TRIGGER trouble BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'disk'); END");
    const event = invite();
    const refused = await post(event, { id: "msg_again" });
    expect(refused).toMatchObject({ status: 503, body: '{"error":"not stored, send it again"}\n' });
    expect(refused.headers.get("retry-after")).toBe("5");
    expect(await eventsStored(world)).toMatchObject(NOTHING_STORED);
    store.exec("DROP TRIGGER trouble");
    store.close();
    expect(await post(event, { id: "msg_again" })).toMatchObject({
      status: 202,
      body: '{"status":"stored"}\n',
    });
  });

  test("while the secrets were never readable: 503", async () => {
    const world = await freshWorld({ clock: fakeClock() });
    await addSecret(world, WEBHOOK_SECRET);
    const vault = new Database(join(world.stateDir, "vault.db"));
    vault.exec("ALTER TABLE item RENAME TO hidden");
    const { post } = await serving(world);
    expect(await post(invite())).toMatchObject({ status: 503 });
    vault.exec("ALTER TABLE hidden RENAME TO item");
    vault.close();
    expect(await post(invite())).toMatchObject({ status: 202 });
  });

  test("never once the service could read them, whatever becomes of the vault", async () => {
    const { world, post, clock } = await receiving();
    const vault = new Database(join(world.stateDir, "vault.db"));
    vault.exec("ALTER TABLE item RENAME TO hidden");
    vault.close();
    await clock.advance(24 * 3_600_000);
    expect(await post(invite())).toMatchObject({ status: 202 });
  });
});

describe("whoever watches the service", () => {
  test("is told that it lives and is ready", async () => {
    const { get } = await receiving();
    expect(await get("/healthz")).toMatchObject({ status: 200, body: '{"status":"ok"}\n' });
    expect(await get("/readyz")).toMatchObject({ status: 200, body: '{"status":"ready"}\n' });
  });

  test("is told that it stops while a call to the vendor is still under way; senders are answered until then", async () => {
    const world = await connected({ clock: fakeClock() });
    const { running, post, get } = await serving(world);
    await world.portal.fault({ delayMs: 5_000, path: "/crm/v3/objects" });
    await post(invite());
    await until("the call is under way", async () => (await world.portal.upserts()).length > 0);
    const stopped = running.stop();
    expect(await get("/readyz")).toMatchObject({ status: 503, body: '{"status":"stopping"}\n' });
    expect(await post(invite())).toMatchObject({ status: 202 });
    await (world.clock as FakeClock).advance(5_000);
    expect(await stopped).toMatchObject({ code: 0 });
  });

  test("finds one line a second in the log, however many are refused", async () => {
    const { world, running, post, clock } = await receiving();
    const lines = () => running.err().match(/webhooks refused/g)?.length ?? 0;
    for (let n = 0; n < 25; n += 1) await post("{", n % 2 === 0 ? { secret: NEXT_SECRET } : {});
    expect(lines()).toBe(1);
    await clock.advance(1_000);
    await until("the others are told", () => lines() === 2);
    expect(running.err()).toContain("jobcannon: the body is not JSON (12 times)");
    expect(running.err()).toContain("jobcannon: webhook-signature fits none of our secrets (12 times)");
    const refused = async () => Object((await world.run(["status", "--json"])).json).refused;
    await until("all are counted", async () => (await refused())[0]?.n === 25);
  });

  test("finds all that were refused by then in the line that tells of one, also while the log is busy", async () => {
    const { world, running, post, clock } = await receiving();
    const busy = new Database(join(world.stateDir, "log.db"));
    busy.exec("BEGIN IMMEDIATE");
    const isTold = (words: string) => () => running.err().includes(words);
    await post("{");
    await until("the first is told", isTold("the body is not JSON"));
    for (let n = 0; n < 2; n += 1) await post(invite(), { secret: NEXT_SECRET });
    await clock.advance(1_000);
    await post("[]");
    await until("the last is told", isTold("not an object"));
    const [, ...later] = running.err().match(/webhooks refused .*/g) ?? [];
    expect(later).toEqual([
      expect.stringMatching(
        /n=3 {2}sinceStart=4 .*fits none of our secrets \(2 times\); jobcannon: the body is not an object/,
      ),
    ]);
    busy.exec("ROLLBACK");
    busy.close();
  });

  test("finds nothing of candidates or secrets in the log, and why events were refused", async () => {
    const { running, post, clock } = await receiving();
    const event = invite({ email: "olena.very-private@example.org", invitation_id: "inv_private" });
    await post(event, { id: "msg_private" });
    await post({ ...event, type: "invite.cancelled" }, { id: "msg_private" });
    await post({ ...event, data: { ...event.data, tests: "olena.very-private@example.org" } });
    await post(JSON.stringify(event).slice(0, -5));
    await post(event, { secret: NEXT_SECRET });
    await post(event, { at: clock.now() - 3_600_000 });
    await clock.advance(1_000);
    const log = running.err();
    // A score of theirs, and not part of a port or a pid.
    for (const word of [/very-private/, new RegExp(event.data.candidate.last_name), /Dominance/, /\b68\b/])
      expect(log).not.toMatch(word);
    for (const secret of [WEBHOOK_SECRET, NEXT_SECRET]) expect(log).not.toContain(secret.slice(6));
    expect(log).toContain("data.tests is not a list");
    expect(log).toContain("webhook-signature fits none of our secrets");
    expect(log).toContain("webhook-timestamp is more than 5 minutes from our clock");
  });
});
