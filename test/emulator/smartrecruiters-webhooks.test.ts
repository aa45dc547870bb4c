import { describe, expect, test } from "vitest";
import { startEmulator } from "../../src/emulator/emulator.ts";
import { fakeClock } from "../fake-clock.ts";
import { until } from "../world.ts";
import { at, control, emulator, listAt } from "./client.ts";
import { connect, invited, receiver, signatureOf, subscribe, writeBack } from "./smartrecruiters-client.ts";
import { emulated } from "../emulated.ts";

/** A company whose webhooks go to the receiver, with a candidate who has an open assessment. */
async function subscribed(answers: number[] = [], changes: object = { webhookRetryMs: [10, 20, 30] }) {
  const started = await emulator();
  await emulated(started).smartrecruiters.settings(changes);
  const listener = await receiver(...answers);
  const app = await connect(started);
  const { id, secret } = await subscribe(app, `${listener.url}/hooks`);
  const deliveries = async () => listAt(await emulated(started).smartrecruiters.deliveries());
  /** Waits until that many tries were made. */
  const tried = (count: number) =>
    until(`${count} deliveries`, async () => {
      const all = await deliveries();
      return all.length >= count && all;
    });
  return { ...listener, started, app, id, secret, deliveries, tried, ...(await invited(app)) };
}

describe("after a write-back", () => {
  test("each subscription is told, signed over the raw body, with its own headers", async () => {
    const { app, received, secret, assessmentId, candidateId, tried } = await subscribed();
    await writeBack(app, assessmentId);
    const deliveries = await tried(1);
    const [told] = received;
    expect(told?.path).toBe("/hooks");
    expect(told?.headers).toMatchObject({
      "content-type": "application/json",
      "x-custom-header": "JobCannon",
      "x-smartrecruiters-signature": signatureOf(told?.text ?? "", secret),
    });
    expect(told?.body).toEqual({
      id: expect.stringMatching(/^evt_/),
      event: "candidate.assessment.completed",
      occurredAt: expect.any(String),
      data: { candidateId, jobId: "j1", assessmentId, status: "completed" },
    });
    expect(deliveries).toMatchObject([
      {
        subscriptionId: "sub1",
        eventId: at(told?.body, "id"),
        assessmentId,
        targetUrl: expect.stringContaining("/hooks"),
        attempt: 1,
        status: 202,
        at: expect.any(String),
      },
    ]);
  });

  test("an answer other than 202 brings the same event again, until it is accepted", async () => {
    const { app, received, assessmentId, tried } = await subscribed([200, 503]);
    await writeBack(app, assessmentId);
    const deliveries = await tried(3);
    expect(deliveries.map((each) => [at(each, "attempt"), at(each, "status")])).toEqual([
      [1, 200],
      [2, 503],
      [3, 202],
    ]);
    expect(new Set(received.map(({ text }) => text)).size).toBe(1);
  });

  test("a receiver that is away is tried as often as the settings say", async () => {
    const { app, started, id, assessmentId, tried } = await subscribed([], { webhookRetryMs: [1] });
    const away = { targetUrl: "http://127.0.0.1:1/" };
    await emulated(started).smartrecruiters.changeSubscription(id, away);
    await writeBack(app, assessmentId);
    expect(await tried(2)).toMatchObject([
      { attempt: 1, status: 0, targetUrl: away.targetUrl },
      { attempt: 2, status: 0 },
    ]);
  });

  test("an inactive subscription hears nothing, and hears again once it is active", async () => {
    const { app, started, id, assessmentId, received, tried } = await subscribed();
    const admin = control(started);
    await subscribe(app, "http://127.0.0.1:1/other");
    await admin("POST", `/smartrecruiters/subscriptions/${id}`, { status: "inactive" });
    await writeBack(app, assessmentId);
    await tried(1);
    expect(received).toEqual([]);
    await admin("POST", `/smartrecruiters/subscriptions/${id}`, { status: "active" });
    await writeBack(app, assessmentId);
    await until("the webhook", () => received.length === 1);
  });

  test("a rotated secret signs from then on", async () => {
    const { app, started, id, secret, assessmentId, received, tried } = await subscribed();
    const { body } = await control(started)("POST", `/smartrecruiters/subscriptions/${id}/rotate-secret`);
    await writeBack(app, assessmentId);
    await tried(1);
    const signature = received[0]?.headers["x-smartrecruiters-signature"];
    expect(signature).toBe(signatureOf(received[0]?.text ?? "", String(at(body, "secret"))));
    expect(signature).not.toBe(signatureOf(received[0]?.text ?? "", secret));
  });

  test("nobody is told before the write-back is answered", async () => {
    const clock = fakeClock();
    const started = await emulator({ clock });
    const { url, received } = await receiver();
    const app = await connect(started);
    await subscribe(app, url);
    const { assessmentId } = await invited(app);
    await emulated(started).smartrecruiters.fault({ delayMs: 1_000, times: 1 });
    const answer = writeBack(app, assessmentId);
    await until("the delay", () => clock.sleepers() === 1);
    await app.api("GET", "/v1/custom-fields");
    expect(received).toEqual([]);
    await clock.advance(1_000);
    expect((await answer).status).toBe(201);
    await until("the webhook", () => received.length === 1);
  });

  test("a write-back whose answer nobody waited for is announced all the same", async () => {
    const clock = fakeClock();
    const started = await emulator({ clock });
    const { url, received } = await receiver();
    const app = await connect(started);
    await subscribe(app, url);
    const { assessmentId } = await invited(app);
    await emulated(started).smartrecruiters.fault({ delayMs: 1_000, times: 1 });
    const impatient = new AbortController();
    const answer = fetch(`${started.smartrecruiters}/v1/assessments/${assessmentId}/results`, {
      method: "POST",
      headers: { authorization: `Bearer ${app.accessToken}` },
      body: JSON.stringify({ title: "DISC" }),
      signal: impatient.signal,
    });
    await until("the delay", () => clock.sleepers() === 1);
    impatient.abort();
    await expect(answer).rejects.toThrow();
    // By the time these are answered the server has seen that the connection is gone.
    for (let call = 0; call < 3; call++) await app.api("GET", "/v1/custom-fields");
    await clock.advance(1_000);
    await until("the webhook", () => received.length === 1);
  });

  test("a receiver that fails does not hold up another", async () => {
    const { app, started, assessmentId, received, tried } = await subscribed([503]);
    await subscribe(app, (await receiver(503, 503)).url);
    await writeBack(app, assessmentId);
    const deliveries = await tried(5);
    expect(deliveries.filter((each) => at(each, "status") === 202)).toHaveLength(2);
    expect(received).toHaveLength(2);
    expect(await emulated(started).smartrecruiters.deliveries()).toHaveLength(5);
  });

  test("a write-back whose answer was cut is announced all the same, one that was refused is not", async () => {
    const { app, started, assessmentId, received, tried } = await subscribed();
    await writeBack(app, assessmentId, { title: "" });
    await emulated(started).smartrecruiters.fault({ drop: true, times: 1 });
    await expect(writeBack(app, assessmentId)).rejects.toThrow();
    await tried(1);
    expect(received).toHaveLength(1);
  });
});

describe("on a bad day", () => {
  test("an event comes in copies", async () => {
    const { app, received, assessmentId, tried } = await subscribed([], { webhookCopies: 3 });
    await writeBack(app, assessmentId);
    await tried(3);
    expect(new Set(received.map(({ text }) => text)).size).toBe(1);
  });

  test("events change places in pairs, and a lone one goes after a while", async () => {
    const { app, received, assessmentId, tried } = await subscribed([], { webhookReorder: true });
    const second = await invited(app);
    await writeBack(app, assessmentId);
    await writeBack(app, second.assessmentId);
    await tried(2);
    await writeBack(app, assessmentId);
    await tried(3);
    expect(received.map(({ body }) => at(body, "data", "assessmentId"))).toEqual(["a2", "a1", "a1"]);
  });

  test("a proxy has written the body anew, and the signature no longer fits", async () => {
    const { app, received, secret, assessmentId, tried } = await subscribed([], { webhookReserialize: true });
    await writeBack(app, assessmentId);
    await tried(1);
    const { headers, text = "", body } = received[0] ?? {};
    const signature = headers?.["x-smartrecruiters-signature"];
    expect(signature).not.toBe(signatureOf(text, secret));
    expect(signature).toBe(signatureOf(JSON.stringify(body), secret));
  });

  test("an event is late", async () => {
    const clock = fakeClock();
    const started = await emulator({ clock });
    await emulated(started).smartrecruiters.settings({ webhookDelayMs: 60_000 });
    const { url, received } = await receiver();
    const app = await connect(started);
    await subscribe(app, url);
    await writeBack(app, (await invited(app)).assessmentId);
    await until("the delay", () => clock.sleepers() === 1);
    expect(received).toEqual([]);
    await clock.advance(60_000);
    await until("the webhook", () => received.length === 1);
  });

  test("any event can be fired, to one company or to all", async () => {
    const { app, started, received, secret, tried } = await subscribed();
    const other = await connect(started, "other");
    await subscribe(other, "http://127.0.0.1:1/");
    const fire = (body: object) => control(started)("POST", "/smartrecruiters/webhooks", body);
    const event = { id: "evt-1", event: "candidate.hired", data: { assessmentId: "a9" } };
    expect(await fire({ clientId: app.clientId, ...event })).toMatchObject({
      status: 202,
      body: { id: "evt-1" },
    });
    expect(await tried(1)).toMatchObject([{ eventId: "evt-1", assessmentId: "a9", status: 202 }]);
    expect(received[0]?.body).toMatchObject(event);
    expect(received[0]?.headers["x-smartrecruiters-signature"]).toBe(
      signatureOf(received[0]?.text ?? "", secret),
    );
    await fire({});
    expect((await tried(3)).map((each) => at(each, "subscriptionId"))).toContain("sub2");
    expect((await fire({ clientId: "nobody" })).status).toBe(404);
  });
});

describe("the end of a world", () => {
  test("takes the redeliveries with it: by reset, and by close", async () => {
    const clock = fakeClock();
    const started = await startEmulator({ clock, autoApprove: true });
    const { url, received } = await receiver(503, 503);
    const fail = async (count: number) => {
      const app = await connect(started);
      await subscribe(app, url);
      await writeBack(app, (await invited(app)).assessmentId);
      await until("the first try", () => received.length === count && clock.sleepers() === 1);
    };
    await fail(1);
    expect((await control(started)("POST", "/reset")).status).toBe(204);
    expect(clock.sleepers()).toBe(0);
    expect(await emulated(started).smartrecruiters.subscriptions()).toEqual({});
    expect(await emulated(started).smartrecruiters.deliveries()).toEqual([]);
    await fail(2);
    await started.close();
    expect(clock.sleepers()).toBe(0);
  });
});
