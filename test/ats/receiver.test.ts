import { describe, expect, test } from "vitest";
import { serving } from "../daemon/serving.ts";
import { succeed, until } from "../world.ts";
import {
  type AtsWorld,
  company,
  completedEvent,
  connectedAts,
  invited,
  post,
  rowOf,
  servingAts,
  signatureOf,
  subscription,
  webhookLog,
} from "./world.ts";

const GLOBEX = `[orgs.globex]
smartrecruiters_client_id = "sr-globex"
`;

/** One word of the vendor about an assessment that nobody knows. */
const STRANGER = { candidateId: "c9", assessmentId: "a9" };

async function refusals(world: AtsWorld): Promise<Record<string, number>> {
  const { refused } = await webhookLog(world);
  const counts: Record<string, number> = {};
  for (const { reason, times } of refused) counts[reason] = (counts[reason] ?? 0) + times;
  return counts;
}

test("webhooks that were refused show in status from the first good one on, with reason, time and command, until the next", async () => {
  const { world } = await servingAts();
  const { secret } = await subscription(world);
  const body = completedEvent(STRANGER);
  const refuse = () => post(world, body, signatureOf(body, "an old secret"));
  const status = () => world.run(["status"]);
  const refused = async () => Object((await world.run(["status", "--json"])).json).refused;
  expect(await refuse()).toMatchObject({ status: 401 });
  await until("it is counted", async () => (await refused()).length === 1);
  expect((await status()).out).not.toContain("refused");

  expect(await post(world, body, signatureOf(body, secret))).toMatchObject({ status: 202 });
  await until("a good one ends it", async () => (await refused()).length === 0);
  expect(await refuse()).toMatchObject({ status: 401 });
  await until("it is counted", async () => (await refused()).length === 1);
  const { out, code } = await status();
  expect(code).toBe(0);
  expect(out).toMatch(
    /! \d webhooks? of SmartRecruiters refused, the last at \d{4}-.*: .*fits none of our secrets/,
  );
  expect(out).toContain("jc-integrations webhooks log --org acme");
  expect(out).toContain("jc-integrations webhooks rotate-secret --org acme");
  await post(world, body, signatureOf(body, secret));
  await until("the next good one ends it", async () => !(await status()).out.includes("refused"));
});

describe("a webhook of SmartRecruiters", () => {
  test("is taken with its signature in either form, and stands in the log until its invite comes", async () => {
    const { world } = await servingAts();
    const { secret } = await subscription(world);
    const body = completedEvent(STRANGER);
    const other = completedEvent(STRANGER, { id: "evt_2" });
    expect(await post(world, body, `sha256=${signatureOf(body, secret)}`)).toMatchObject({ status: 202 });
    expect(await post(world, other, signatureOf(other, secret))).toMatchObject({ status: 202 });
    expect((await webhookLog(world, "--unmatched")).received).toMatchObject([
      { eventId: "evt_1", isMatched: false, ...STRANGER },
      { eventId: "evt_2", isMatched: false },
    ]);
    const { out } = await succeed(world, ["webhooks", "log"]);
    expect(out).toMatch(/taken +evt_1 +c9 +a9 +no invite yet/);
    expect((await world.run(["status", "--json"])).json).toMatchObject({ events: { unmatched: 2 } });
  });

  test("is refused with 401, stored nowhere and counted with the reason when its signature is not good", async () => {
    const { world } = await servingAts();
    const { secret } = await subscription(world);
    const body = completedEvent(STRANGER);
    const passedOn = JSON.stringify(JSON.parse(body), null, 2);
    const cases: [string, string | null][] = [
      [body, null],
      [body, "sha256="],
      [body, "nonsense"],
      [passedOn, `sha256=${signatureOf(body, secret)}`],
      [body, `sha256=${signatureOf(body, "another secret")}`],
    ];
    for (const [text, signature] of cases)
      expect(await post(world, text, signature)).toMatchObject({ status: 401, error: expect.any(String) });
    await until("they are counted", async () => Object.keys(await refusals(world)).length === 3);
    expect(await refusals(world)).toEqual({
      "X-SmartRecruiters-Signature is missing": 1,
      "X-SmartRecruiters-Signature fits none of our secrets": 3,
      "the body was changed on its way: the signature fits other bytes of the same JSON": 1,
    });
    expect((await webhookLog(world)).received).toEqual([]);
    expect((await world.run(["status", "--json"])).json).toMatchObject({ events: { total: 0 } });

    const { out } = await succeed(world, ["webhooks", "log"]);
    expect(out).toMatch(/refused +X-SmartRecruiters-Signature fits none of our secrets \(3 times\)/);
    expect(out).toContain("Webhook signature validation failed");
    expect(out).toContain("Confirm webhook secret matches the value in integration settings");
    expect(out).toContain("Verify payload is not modified before signature validation");
    const { json } = await succeed(world, ["webhooks", "log", "--json"]);
    expect(json).toMatchObject({
      guide: {
        title: "Webhook signature validation failed",
        cause: "HMAC signature is missing or incorrect",
        fixes: [
          expect.stringContaining("X-SmartRecruiters-Signature"),
          expect.any(String),
          expect.any(String),
        ],
      },
    });
    expect(JSON.stringify(json)).not.toContain("c9");
  });

  test("is refused with 400 and one line when its body is none of ours", async () => {
    const { world } = await servingAts();
    const { secret } = await subscription(world);
    const cases: [string, string][] = [
      ["[]", "object"],
      ["{", "JSON"],
      [JSON.stringify({ id: "e", event: "candidate.assessment.completed" }), "occurredAt"],
      [completedEvent({ candidateId: "c1", assessmentId: "" }), "data.assessmentId"],
      [completedEvent(STRANGER, { id: "" }), "id"],
    ];
    for (const [body, word] of cases) {
      const answer = await post(world, body, `sha256=${signatureOf(body, secret)}`);
      expect(answer).toMatchObject({ status: 400, error: expect.stringContaining(word) });
      expect(answer.error).not.toContain("\n");
    }
    expect((await webhookLog(world)).received).toEqual([]);
  });

  test("of a type we do not know is stored and ignored", async () => {
    const { world } = await servingAts();
    const { secret } = await subscription(world);
    const body = JSON.stringify({ id: "evt_x", event: "job.updated", occurredAt: "2026-11-22T10:00:00Z" });
    expect(await post(world, body, signatureOf(body, secret))).toMatchObject({ status: 202 });
    expect((await world.run(["status", "--json"])).json).toMatchObject({
      events: { total: 1, unmatched: 0 },
    });
    expect((await webhookLog(world)).received).toEqual([]);
  });

  test("that comes twice, or again after days, is known by its id", async () => {
    const { world } = await servingAts();
    const { secret } = await subscription(world);
    const body = completedEvent(STRANGER, { occurredAt: "2026-01-02T10:00:00Z" });
    for (let times = 0; times < 3; times += 1)
      expect(await post(world, body, signatureOf(body, secret))).toMatchObject({ status: 202 });
    expect((await webhookLog(world)).received).toHaveLength(1);
    expect((await world.run(["status", "--json"])).json).toMatchObject({ events: { total: 1 } });
  });

  test("belongs to the org whose secret signed it", async () => {
    const { world } = await servingAts({ config: GLOBEX });
    await succeed(world, ["connect", "smartrecruiters", "--org", "globex"]);
    await succeed(world, ["webhooks", "subscribe", "--org", "globex"]);
    const acmes = await subscription(world);
    const globexs = await subscription(world, "sr-globex");
    const body = completedEvent(STRANGER, { id: "evt_acme" });
    const other = completedEvent(STRANGER, { id: "evt_globex" });
    expect(await post(world, body, signatureOf(body, acmes.secret))).toMatchObject({ status: 202 });
    expect(await post(world, other, signatureOf(other, globexs.secret))).toMatchObject({ status: 202 });
    expect((await webhookLog(world)).received).toMatchObject([{ eventId: "evt_acme" }]);
    expect((await webhookLog(world, "--org", "globex")).received).toMatchObject([{ eventId: "evt_globex" }]);
  });

  test("of the sandbox stays there: it confirms nothing in production", async () => {
    const { world, service } = await servingAts();
    await succeed(world, ["connect", "smartrecruiters", "--sandbox"]);
    await succeed(world, ["webhooks", "subscribe", "--sandbox"]);
    const { secret } = await subscription(world, "sr-sandbox");
    const { candidateId, assessmentId } = await invited(await company(world));
    const event = {
      type: "invite.sent",
      timestamp: "2026-05-15T10:15:00Z",
      data: {
        invitation_id: "inv_1",
        org: "acme",
        status: "invited",
        candidate: { email: "ann@example.com", first_name: "Ann", last_name: "Lee" },
        tests: [{ slug: "disc", status: "assigned" }],
        source: {
          vendor: "smartrecruiters",
          candidate_id: candidateId,
          job_id: "j1",
          assessment_id: assessmentId,
        },
      },
    };
    expect((await service.post(event)).status).toBe(202);
    const body = completedEvent({
      candidateId,
      assessmentId,
      invitationId: "inv_1",
      result: { dimensions: [{ name: "Dominance", score: 99 }] },
    });
    expect(await post(world, body, signatureOf(body, secret))).toMatchObject({ status: 202 });
    expect((await webhookLog(world)).received).toEqual([]);
    expect((await webhookLog(world, "--sandbox")).received).toMatchObject([{ isMatched: false }]);
    await succeed(world, ["run", "questions"]);
    expect(await rowOf(world)).toMatchObject({ pushes: { pending: 0, delivered: 0 } });
    expect((await world.run(["invites", "show", "inv_1", "--json"])).json).toMatchObject({
      invite: { status: "invited" },
    });
  });

  test("is to be sent again while nobody has a secret: that is no fault of the sender's", async () => {
    const world = await connectedAts();
    await serving(world);
    const body = completedEvent(STRANGER);
    expect((await post(world, body, signatureOf(body, "any"))).status).toBe(503);
  });
});
