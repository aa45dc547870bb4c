/** Subscriptions of the published contract, from the greeting to what was missed. */
import { createHmac } from "node:crypto";
import { join } from "node:path";
import Database from "better-sqlite3";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { serving } from "../daemon/serving.ts";
import { scrape } from "../daemon/scrape.ts";
import { leastOf, msOf } from "../least.ts";
import { succeed, until } from "../world.ts";
import {
  application,
  callsOf,
  companyOf,
  fire,
  move,
  publishedWorld,
  rowOf,
  storedEvents,
  subscribedWorld,
  VENDOR,
} from "./world.ts";

const STAGE_EVENTS = ["application.created", "application.status.updated"];
const CHECK = ["run", "subscriptions", "--json"];

describe("webhooks subscribe", () => {
  test("makes it, gives it a key, and has serve answer the greeting", async () => {
    const { world } = await subscribedWorld();
    const [only] = (await companyOf(world)).subscriptions;
    expect(only).toMatchObject({ callbackUrl: world.webhookUrl, status: "active" });
    expect(only?.events.map(({ name }) => name)).toEqual(STAGE_EVENTS);
    const order = (await callsOf(world)).filter((call) => /POST|PUT/.test(call));
    expect(order.map((call) => call.replace(/psub\d+/, "{id}").replace("/webhooks-api/v201907", ""))).toEqual(
      ["POST /subscriptions", "POST /subscriptions/{id}/secret-key", "PUT /subscriptions/{id}/activation"],
    );
    expect(await rowOf(world)).toMatchObject({ subscription: { state: "active" } });
    expect((await succeed(world, ["webhooks", "subscribe", "--json"])).json).toMatchObject({
      created: false,
    });
    expect((await succeed(world, ["webhooks", "list"])).out).toContain("Ours is active");
  });

  test.each([{ handshakeBody: "" }, { handshakeBody: "{}", signsHandshake: true }])(
    "answers the greeting in whichever form it comes: %o",
    async (reading) => {
      const world = await publishedWorld();
      await world.set(reading);
      await succeed(world, ["connect", VENDOR]);
      await serving(world);
      await succeed(world, ["webhooks", "subscribe"]);
      expect((await companyOf(world)).subscriptions).toMatchObject([{ status: "active" }]);
    },
  );

  test("says why where no serve answers, and leaves nothing behind", async () => {
    const world = await publishedWorld();
    await succeed(world, ["connect", VENDOR]);
    const { code, err } = await world.run(["webhooks", "subscribe"]);
    expect(code).toBe(6);
    expect(err).toContain("greeted our receiver");
    expect(err).toContain("Is serve running");
    expect((await companyOf(world)).subscriptions).toEqual([]);
    expect(await rowOf(world)).toMatchObject({ subscription: { state: "none" } });
  });
});

describe("the receiver", () => {
  test("answers no stranger's greeting, and the vendor's check of a receiver is stored nowhere", async () => {
    const { world, service } = await subscribedWorld();
    const post = async (headers: Record<string, string>, body: string) =>
      await fetch(world.webhookUrl, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body,
      });
    const greeted = await post({ "x-hook-secret": "let me in" }, "{}");
    expect(greeted.status).toBe(401);
    expect(greeted.headers.get("x-hook-secret")).toBe(null);
    const before = await storedEvents(world);
    expect((await post({}, '{"id":"example"}')).status).toBe(202);
    expect(await storedEvents(world)).toBe(before);
    expect((await post({}, '{"id":"another"}')).status).toBe(401);
    expect((await post({ "event-id": "1" }, '{"id":"example"}')).status).toBe(401);
    const metrics = await scrape(adminOf(service.running.out()));
    expect(metrics.value("jc_webhooks_checked_total", { source: VENDOR })).toBe(2);
  });

  test("takes an event once, however often it comes, and asks its vendor once", async () => {
    const { world } = await subscribedWorld();
    await world.set({ copies: 3 });
    const { applicationId } = await application(world);
    await until("both are looked up", async () => (await lookUps(world)) === 1);
    await move(world, applicationId, "IN_REVIEW");
    await until("the move is looked up", async () => (await lookUps(world)) === 2);
    expect(await storedEvents(world)).toBe(2);
    await until("nothing is left to ask", async () => (await openQuestions(world)) === 0);
    expect(await lookUps(world)).toBe(2);
  });

  test("says within five seconds that it could not store, where the log is locked", async () => {
    const { world } = await subscribedWorld();
    const [only] = (await companyOf(world)).subscriptions;
    const headers = signedBy(only?.keys.at(-1)?.secretKey ?? "");
    const tell = async () => (await fetch(world.webhookUrl, { method: "POST", headers, body: THIN })).status;
    const refusalMs = async () => {
      const lock = new Database(join(world.stateDir, "log.db"));
      lock.exec("BEGIN IMMEDIATE");
      const tookMs = await msOf(async () => expect(await tell()).toBe(503));
      lock.close();
      expect(await tell()).toBe(202);
      return tookMs;
    };
    expect(await leastOf(5_000, refusalMs)).toBeLessThan(5_000);
    await until("it is there once", async () => (await storedEvents(world)) === 1);
  });

  test("stores an event that concerns no stage, and asks nobody: our own writes come back so", async () => {
    const { world } = await subscribedWorld();
    const { applicationId } = await application(world);
    await until("it is looked up", async () => (await lookUps(world)) === 1);
    await fire(world, { name: "application.fields.updated", applicationId });
    await until("it is stored", async () => (await storedEvents(world)) === 2);
    expect(await openQuestions(world)).toBe(0);
    expect(await lookUps(world)).toBe(1);
  });
});

describe("a new secret", () => {
  test("comes to the same subscription, and what the old one signed is taken for a day", async () => {
    const { world } = await subscribedWorld();
    const { json } = await succeed(world, ["webhooks", "rotate-secret", "--json"]);
    const [only, ...others] = (await companyOf(world)).subscriptions;
    expect(json).toEqual(expect.objectContaining({ id: only?.id, replaced: [] }));
    expect(others).toEqual([]);
    expect(only?.keys).toHaveLength(2);
    await application(world);
    await until("it is taken", async () => (await storedEvents(world)) === 1);
  });
});

describe("what was missed", () => {
  test("is read from the vendor's log by the hourly check", async () => {
    const { world, service } = await subscribedWorld();
    await service.running.stop();
    const { applicationId } = await application(world);
    await move(world, applicationId, "IN_REVIEW");
    await until("both have failed", async () => (await failures(world)) === 2);
    await succeed(world, CHECK);
    expect(await storedEvents(world)).toBe(2);
    await succeed(world, CHECK);
    expect(await storedEvents(world)).toBe(2);
  });

  test("is read before a subscription is removed", async () => {
    const { world, service } = await subscribedWorld();
    await service.running.stop();
    await application(world);
    await until("it has failed", async () => (await failures(world)) === 1);
    await succeed(world, ["webhooks", "unsubscribe", "--yes"]);
    expect(await storedEvents(world)).toBe(1);
  });

  test.each([
    { onSuspension: "reactivate", canReactivate: true, id: "psub1" },
    { onSuspension: "reactivate", canReactivate: false, id: "psub2" },
    { onSuspension: "renew", canReactivate: true, id: "psub2" },
  ])("while it was suspended is taken when it is mended: $onSuspension, $canReactivate", async (reading) => {
    const { onSuspension, canReactivate, id } = reading;
    const { world, service } = await subscribedWorld({
      config: `on_suspension = "${onSuspension}"\n`,
      env: { JC_ALERTS_TELEGRAM_CHAT_ID: "4711" },
    });
    await succeed(
      world,
      ["secrets", "set", "telegram.bot-token"],
      "4711:abcdefghijklmnopqrstuvwxyz0123456789",
    );
    await world.set({ canReactivate, suspendAfter: 1 });
    await service.running.stop();
    await application(world);
    await until("it is suspended", async () => (await subscriptionStates(world))[0] === "suspended");
    await serving(world);
    await succeed(world, CHECK);
    expect((await companyOf(world)).subscriptions).toMatchObject([{ id, status: "active" }]);
    expect(await storedEvents(world)).toBe(1);
    // Whoever comes first sends it, serve or this.
    await world.run(["run", "alerts"]);
    await until("the owner hears of it", async () =>
      (await world.telegram.messages()).some(({ text }) =>
        text.includes("had suspended our webhook subscription"),
      ),
    );
    expect(await rowOf(world)).toMatchObject({ subscription: { state: "active" } });
  });

  test("is told, and mended by nobody, where people look after it", async () => {
    const { world } = await subscribedWorld({ config: 'on_suspension = "tell"\n' });
    await world.smartrecruiters.do("/published/suspend");
    const { json } = await world.run(CHECK);
    expect(json).toMatchObject({
      failed: [expect.stringContaining("switched our webhook subscription off")],
    });
    expect(await subscriptionStates(world)).toEqual(["suspended"]);
  });

  test("for want of a subscription is found among the candidates that changed since", async () => {
    const { world } = await subscribedWorld();
    await world.smartrecruiters.do("/published/drop");
    await application(world);
    await succeed(world, CHECK);
    expect(await rowOf(world)).toMatchObject({ subscription: { state: "missing" } });
    const { json } = await succeed(world, ["webhooks", "subscribe", "--json"]);
    expect(json).toMatchObject({ created: true, caughtUp: 1 });
    expect(await storedEvents(world)).toBe(1);
  });
});

const THIN = JSON.stringify({ job_id: "j1", candidate_id: "c1", application_id: "a1" });

function signedBy(key: string): Record<string, string> {
  const event = { id: "evt-1", name: "candidate.created", version: "v201910", link: "<x>; rel=self" };
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const text = [timestamp, THIN, event.id, event.name, event.version, event.link].join(".");
  return {
    "content-type": "application/json",
    ...{ "event-id": event.id, "event-name": event.name, "event-version": event.version, link: event.link },
    "smartrecruiters-timestamp": timestamp,
    "smartrecruiters-signature": `v1=${createHmac("sha256", key).update(text).digest("hex")}`,
  };
}

function adminOf(out: string): string {
  const [line = ""] = out.split("\n");
  return `http://${v.parse(v.object({ admin: v.string() }), JSON.parse(line)).admin}`;
}

async function lookUps(world: Parameters<typeof callsOf>[0]): Promise<number> {
  return (await callsOf(world)).filter((call) => /^GET \/candidates\/[^/]+\/jobs\/[^/]+$/.test(call)).length;
}

async function openQuestions(world: Parameters<typeof callsOf>[0]): Promise<number> {
  const shape = v.object({ questions: v.optional(v.array(v.object({ n: v.number() })), []) });
  const { questions } = v.parse(shape, (await world.run(["status", "--json"])).json);
  return questions.reduce((sum, { n }) => sum + n, 0);
}

async function failures(world: Parameters<typeof callsOf>[0]): Promise<number> {
  const logs = (await companyOf(world)).subscriptions.flatMap(({ log }) => log);
  return logs.filter(({ status }) => status === "failed").length;
}

async function subscriptionStates(world: Parameters<typeof callsOf>[0]): Promise<string[]> {
  return (await companyOf(world)).subscriptions.map(({ status }) => status);
}
