import { describe, expect, test } from "vitest";
import { fakeClock } from "../fake-clock.ts";
import { at, control, emulator, listAt } from "./client.ts";
import { connect, invited, settings, subscribe, writeBack } from "./smartrecruiters-client.ts";
import { emulated } from "../emulated.ts";

describe("candidates", () => {
  test("are created, read and deleted with all that was asked of them", async () => {
    const app = await connect(await emulator({ clock: fakeClock() }));
    const { candidateId, assessmentId } = await invited(app);
    expect(await app.api("GET", `/v1/candidates/${candidateId}`)).toMatchObject({
      status: 200,
      body: {
        id: "c1",
        firstName: "Ann",
        lastName: "Lee",
        email: "ann@example.com",
        createdOn: "2026-11-22T12:00:00.000Z",
      },
    });
    expect((await app.api("DELETE", `/v1/candidates/${candidateId}`)).status).toBe(204);
    expect((await app.api("GET", `/v1/candidates/${candidateId}`)).status).toBe(404);
    expect((await app.api("GET", `/v1/assessments/${assessmentId}`)).status).toBe(404);
  });

  test("belong to one company; another does not see them", async () => {
    const started = await emulator();
    const { candidateId } = await invited(await connect(started));
    const other = await connect(started, "other");
    expect((await other.api("GET", `/v1/candidates/${candidateId}`)).status).toBe(404);
    expect((await invited(other)).candidateId).toBe("c2");
  });

  test("of two apps in one company are the same", async () => {
    const started = await emulator();
    await emulated(started).smartrecruiters.settings({ companyId: "acme" });
    const { candidateId } = await invited(await connect(started));
    const other = await connect(started, "other");
    expect((await other.api("GET", `/v1/candidates/${candidateId}`)).status).toBe(200);
  });

  test.each([
    { firstName: "Ann", lastName: "Lee" },
    { firstName: "Ann", lastName: "Lee", email: " " },
  ])("like %j are unprocessable", async (person) => {
    const { api } = await connect(await emulator());
    expect((await api("POST", "/v1/candidates", person)).status).toBe(422);
  });
});

describe("the catalogue", () => {
  const PATH = "/v1/jobs/j1/stages/Phone%20screen/assessment";

  test("keeps what a stage asks for", async () => {
    const { api } = await connect(await emulator());
    expect((await api("GET", PATH)).status).toBe(404);
    const planned = { test: "disc", required: true, trigger: "auto", emailTemplate: "branded" };
    const kept = { stage: "Phone screen", dueDays: 7, ...planned };
    expect(await api("PUT", PATH, planned)).toMatchObject({ status: 200, body: kept });
    expect((await api("GET", PATH)).body).toEqual(kept);
    expect((await api("GET", "/v1/jobs/j1/assessments")).body).toEqual({ content: [kept] });
    expect((await api("GET", "/v1/jobs/j2/assessments")).body).toEqual({ content: [] });
  });

  test.each([{ test: "" }, { required: 1 }, { trigger: "later" }, { dueDays: 0 }, { emailTemplate: "none" }])(
    "refuses %j",
    async (wrong) => {
      const { api } = await connect(await emulator());
      expect((await api("PUT", PATH, { test: "disc", ...wrong })).status).toBe(422);
    },
  );

  test("triggers an automatic assessment when a candidate reaches the stage, and no manual one", async () => {
    const { api } = await connect(await emulator());
    await api("PUT", "/v1/jobs/j1/stages/SCREEN/assessment", { test: "disc", trigger: "auto" });
    await api("PUT", "/v1/jobs/j1/stages/OFFER/assessment", { test: "mbti", trigger: "manual" });
    const person = { firstName: "Ann", lastName: "Lee", email: "ann@example.com" };
    await api("POST", "/v1/candidates", person);
    const status = "/v1/candidates/c1/jobs/j1/status";
    expect((await api("PUT", status, { status: "NEW" })).status).toBe(404);
    expect((await api("POST", "/v1/candidates/c1/jobs/j1")).status).toBe(201);
    const asked = async () => listAt((await api("GET", "/v1/assessments?candidateId=c1")).body, "content");
    expect((await api("PUT", status, { status: "OFFER" })).status).toBe(204);
    expect(await asked()).toEqual([]);
    expect((await api("PUT", status, { status: "IN_REVIEW", subStatus: "SCREEN" })).status).toBe(204);
    await api("PUT", status, { status: "SCREEN" });
    expect(await asked()).toEqual([
      {
        id: "a1",
        candidateId: "c1",
        jobId: "j1",
        test: "disc",
        status: "invited",
        link: expect.stringContaining("/smartrecruiters/assessments/a1"),
      },
    ]);
  });
});

describe("results", () => {
  test("fill the scorecard, and complete the assessment; posted again they replace its entry", async () => {
    const started = await emulator();
    const app = await connect(started);
    const { candidateId, assessmentId } = await invited(app);
    const entry = {
      title: "DISC",
      score: 68,
      summary: "Dominant",
      resultUrl: "https://jobcannon.io/r/1",
      completedAt: "2026-11-22T10:00:00Z",
      fields: [{ fieldId: "cf-disc-d", value: 68 }],
    };
    expect((await writeBack(app, assessmentId)).status).toBe(201);
    expect((await writeBack(app, assessmentId, entry)).status).toBe(201);
    const entries = [{ assessmentId, ...entry }];
    const { body } = await app.api("GET", `/v1/candidates/${candidateId}/scorecard`);
    expect(body).toEqual({ candidateId, entries });
    expect(await emulated(started).smartrecruiters.scorecards()).toEqual({ c1: entries });
    expect((await app.api("GET", `/v1/assessments/${assessmentId}`)).body).toMatchObject({
      status: "completed",
    });
  });

  test("name a field that is not there, and nothing is written", async () => {
    const app = await connect(await emulator());
    const { assessmentId } = await invited(app);
    expect(await writeBack(app, assessmentId, { fields: [{ fieldId: "cf-9", value: 1 }] })).toMatchObject({
      status: 422,
      body: { errors: [{ code: "FIELD_NOT_FOUND", message: expect.stringContaining("cf-9") }] },
    });
    expect((await app.api("GET", "/v1/candidates/c1/scorecard")).body).toMatchObject({ entries: [] });
  });

  test.each([{ title: " " }, { score: [] }, { resultUrl: "x" }, { completedAt: "soon" }, { fields: {} }])(
    "like %j are unprocessable",
    async (wrong) => {
      const app = await connect(await emulator());
      const { assessmentId } = await invited(app);
      expect((await writeBack(app, assessmentId, wrong)).status).toBe(422);
    },
  );

  test("of an unknown assessment are not found", async () => {
    expect((await writeBack(await connect(await emulator()), "a9")).status).toBe(404);
  });
});

describe("custom fields", () => {
  test("carry bare names and long labels, and can be set", async () => {
    const started = await emulator();
    const { api } = await connect(started);
    const labels = listAt((await api("GET", "/v1/custom-fields")).body, "content").map((f) => at(f, "label"));
    expect(labels).toContain("Dominance");
    expect(labels).toContain("JC Big Five — Openness");
    const customFields = [{ id: "f1", label: "IQ", type: "number" }];
    expect((await settings(started, { customFields })).status).toBe(200);
    expect((await api("GET", "/v1/custom-fields")).body).toEqual({ content: customFields });
    expect((await settings(started, { customFields: [{ id: 1 }] })).status).toBe(400);
  });
});

describe("subscriptions", () => {
  const PATH = "/v1/webhooks/subscriptions";
  const body = { event: "candidate.assessment.completed", targetUrl: "https://api.jobcannon.io/x" };

  test("show their secret once", async () => {
    const { api } = await connect(await emulator());
    const headers = { "X-Custom-Header": "JobCannon" };
    const created = await api("POST", PATH, { ...body, headers });
    const shown = { id: "sub1", ...body, headers, status: "active" };
    expect(created).toMatchObject({ status: 201, body: { ...shown, secret: expect.any(String) } });
    expect((await api("GET", PATH)).body).toEqual({ content: [shown] });
    expect((await api("GET", `${PATH}/sub1`)).body).toEqual(shown);
    expect((await api("DELETE", `${PATH}/sub1`)).status).toBe(204);
    expect((await api("GET", `${PATH}/sub1`)).status).toBe(404);
    expect((await api("DELETE", `${PATH}/sub1`)).status).toBe(404);
  });

  test.each([{ event: "candidate.hired" }, { targetUrl: "nowhere" }, { headers: { "a b": "c" } }])(
    "like %j are unprocessable",
    async (wrong) => {
      const { api } = await connect(await emulator());
      expect((await api("POST", PATH, { ...body, ...wrong })).status).toBe(422);
    },
  );

  test("are seen and changed by the company's admin, secrets and all", async () => {
    const started = await emulator();
    const app = await connect(started);
    const { secret } = await subscribe(app, "http://127.0.0.1:1/");
    const admin = control(started);
    const path = "/smartrecruiters/subscriptions";
    expect((await admin("GET", path)).body).toMatchObject({ app: [{ id: "sub1", secret }] });
    const changes = { status: "inactive", secret: "mine", targetUrl: "http://127.0.0.1:2/" };
    expect(await admin("POST", `${path}/sub1`, changes)).toMatchObject({ status: 200, body: changes });
    expect((await app.api("GET", "/v1/webhooks/subscriptions/sub1")).body).toMatchObject({
      status: "inactive",
      targetUrl: "http://127.0.0.1:2/",
    });
    expect((await admin("POST", `${path}/sub1`, { status: "asleep" })).status).toBe(400);
    const rotated = await admin("POST", `${path}/sub1/rotate-secret`);
    expect((await admin("GET", path)).body).toMatchObject({ app: [rotated.body] });
    expect((await admin("DELETE", `${path}/sub1`)).status).toBe(204);
    expect((await admin("DELETE", `${path}/sub1`)).status).toBe(404);
  });
});
