import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import { startEmulator } from "../../src/emulator/emulator.ts";
import { until, WEBHOOK_SECRET } from "../world.ts";
import { ask, at, control, emulator, listAt } from "./client.ts";
import { connect, invited, receiver, settings, subscribe, writeBack } from "./smartrecruiters-client.ts";
import { emulated } from "../emulated.ts";

/** An emulator that was told of a receiver of JobCannon's events. */
async function listening(...answers: number[]) {
  const listener = await receiver(...answers);
  const started = await emulator({ jobcannonUrl: listener.url, jobcannonSecret: WEBHOOK_SECRET });
  const app = await connect(started);
  const complete = (body: object) => control(started)("POST", "/smartrecruiters/complete", body);
  return { ...listener, started, app, complete };
}

describe("a candidate who finishes", () => {
  test("is announced as JobCannon does it, signed by the scheme's own rules", async () => {
    const { app, complete, received } = await listening();
    const { candidateId } = await invited(app, "mbti");
    expect(await complete({ candidateId, org: "acme" })).toMatchObject({
      status: 200,
      body: { invitationId: "inv_a1", status: 202 },
    });
    const [told] = received;
    const { text = "", headers } = told ?? {};
    expect(told?.path).toBe("/jobcannon/events");
    expect(new Webhook(WEBHOOK_SECRET).verify(text, headers as Record<string, string>)).toMatchObject({
      type: "invite.completed",
      timestamp: expect.any(String),
      data: {
        invitation_id: "inv_a1",
        org: "acme",
        status: "completed",
        candidate: { email: "ann@example.com", first_name: "Ann", last_name: "Lee" },
        tests: [{ slug: "mbti", status: "completed", result: { type: "INFJ-T" } }],
        source: { vendor: "smartrecruiters", candidate_id: "c1", job_id: "j1", assessment_id: "a1" },
      },
    });
  });

  test.each(["disc", "big-five", "iq-test", "integrity", "riasec", "eq"])(
    "has a result in %s",
    async (slug) => {
      const { app, complete, received } = await listening();
      const { candidateId } = await invited(app, slug);
      await complete({ candidateId });
      const data = at(received[0]?.body, "data");
      expect(at(data, "org")).toBe("default");
      const result = at(data, "tests", 0, "result");
      expect(at(result, "score") ?? at(result, "dimensions", 0, "score")).toEqual(expect.any(Number));
    },
  );

  test("is in the webhook after the write-back, with invitation and result, unless results are held back", async () => {
    const { app, started, url, complete, received } = await listening();
    await subscribe(app, `${url}/hooks`);
    const { candidateId, assessmentId } = await invited(app);
    await complete({ candidateId });
    const result = at(received[0]?.body, "data", "tests", 0, "result");
    await writeBack(app, assessmentId);
    await until("the webhook", () => received.length === 2);
    expect(at(received[1]?.body, "data")).toMatchObject({ assessmentId, invitationId: "inv_a1", result });
    await emulated(started).smartrecruiters.settings({ webhookResult: false });
    await writeBack(app, assessmentId);
    await until("the second webhook", () => received.length === 3);
    expect(at(received[2]?.body, "data")).toMatchObject({ assessmentId, invitationId: "inv_a1" });
    expect(at(received[2]?.body, "data", "result")).toBeUndefined();
  });

  test("finishes every open assessment and no other", async () => {
    const { app, complete, received } = await listening();
    const { candidateId, assessmentId } = await invited(app);
    for (const slug of ["mbti", "eq"])
      await app.api("POST", "/v1/assessments", { candidateId, jobId: "j1", test: slug });
    await writeBack(app, assessmentId);
    const { body } = await complete({ candidateId });
    expect(listAt(body, "completed").map((each) => at(each, "invitationId"))).toEqual(["inv_a2", "inv_a3"]);
    expect(received.map((each) => at(each.body, "data", "tests", 0, "slug"))).toEqual(["mbti", "eq"]);
    for (const id of ["a2", "a3"]) await writeBack(app, id);
    expect((await complete({ candidateId })).status).toBe(409);
  });

  test("learns what the receiver answered", async () => {
    const { app, complete } = await listening(401);
    const { candidateId } = await invited(app);
    expect((await complete({ candidateId })).body).toMatchObject({ status: 401 });
    expect((await complete({ candidateId: "c9" })).status).toBe(404);
    expect((await complete({})).status).toBe(400);
  });

  test("needs a receiver that was told, and a secret nobody is shown", async () => {
    const started = await emulator();
    const { candidateId } = await invited(await connect(started));
    const complete = () => control(started)("POST", "/smartrecruiters/complete", { candidateId });
    const { url, received } = await receiver();
    const lost = await complete();
    expect(lost.status).toBe(409);
    expect(at(lost.body, "message")).toContain("jobcannonUrl");
    await emulated(started).smartrecruiters.settings({
      jobcannonUrl: `${url}/elsewhere`,
      jobcannonOrg: "acme",
    });
    expect(at((await complete()).body, "message")).toContain("jobcannonSecret");
    const set = await settings(started, { jobcannonSecret: WEBHOOK_SECRET });
    expect(set.body).toMatchObject({ jobcannonSecret: "[redacted]" });
    expect((await complete()).status).toBe(200);
    expect(received).toMatchObject([{ path: "/elsewhere", body: { data: { org: "acme" } } }]);
  });

  test.each([{ jobcannonUrl: "nowhere" }, { jobcannonSecret: "secret" }])(
    "cannot be played with %j",
    async (options) => {
      await expect(startEmulator(options)).rejects.toMatchObject({ code: "USAGE" });
    },
  );
});

describe("the assessment's page", () => {
  test("has a button with which the candidate finishes", async () => {
    const { app, received } = await listening();
    const { assessmentId } = await invited(app);
    const link = String(at((await app.api("GET", `/v1/assessments/${assessmentId}`)).body, "link"));
    expect((await ask(link)).body).toContain("Complete</button>");
    expect((await ask(link, { method: "POST" })).status).toBe(200);
    expect(received).toMatchObject([{ body: { data: { invitation_id: "inv_a1" } } }]);
    await writeBack(app, assessmentId);
    expect((await ask(link)).body).toContain("is completed");
  });

  test("says why nothing can be finished", async () => {
    const started = await emulator();
    const { assessmentId } = await invited(await connect(started));
    const page = `${started.smartrecruiters}/assessments/`;
    expect((await ask(page + assessmentId, { method: "POST" })).status).toBe(409);
    expect((await ask(`${page}a9`)).status).toBe(404);
  });
});
