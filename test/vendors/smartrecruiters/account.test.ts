import { describe, expect, test } from "vitest";
import { NOON } from "../../core/example.ts";
import { isAppError } from "../../../src/shared/errors.ts";
import { catalogThere, type Company, openCompany, type Reply, refusal } from "./company.ts";

const EVENT = "candidate.assessment.completed";
const TARGET = "https://api.jobcannon.io/smartrecruiters/webhooks";

describe("a subscription", () => {
  test("is asked for with the guide's body, byte for byte, and tells its secret once", async () => {
    const { ats, access, on, heard } = await openCompany();
    const created = {
      id: "sub-1",
      event: EVENT,
      targetUrl: TARGET,
      headers: {},
      secret: "s3cret",
      status: "active",
    };
    on("POST /v1/webhooks/subscriptions", { status: 201, body: created });
    const { subscription, secret } = await ats.subscribe(access, TARGET);
    expect(heard.map(({ body }) => body)).toEqual([
      '{"event":"candidate.assessment.completed","targetUrl":"https://api.jobcannon.io/smartrecruiters/webhooks","headers":{"X-Custom-Header":"JobCannon"}}',
    ]);
    expect(heard[0]?.headers["content-type"]).toBe("application/json");
    expect(subscription).toEqual({ id: "sub-1", event: EVENT, targetUrl: TARGET, isActive: true });
    expect(secret.reveal()).toBe("s3cret");
  });

  test("without a secret is an answer out of shape", async () => {
    const { ats, access, on } = await openCompany();
    const created = { id: "sub-1", event: EVENT, targetUrl: TARGET, secret: " ", status: "active" };
    on("POST /v1/webhooks/subscriptions", { status: 201, body: created });
    const failed = await ats.subscribe(access, TARGET).catch((error: unknown) => error);
    expect(isAppError(failed, "VENDOR_UNEXPECTED")).toBe(true);
  });

  test("is listed, whoever made it, if it is to our event", async () => {
    const { ats, access, on } = await openCompany();
    const one = { id: "sub-1", event: EVENT, targetUrl: TARGET };
    const content = [
      { ...one, status: "active" },
      { ...one, id: "sub-2", event: "job.created" },
      { ...one, id: "sub-3", status: "suspended" },
    ];
    on("GET /v1/webhooks/subscriptions", { body: { content } });
    expect(await ats.subscriptions(access)).toEqual([
      { ...one, isActive: true },
      { ...one, id: "sub-3", isActive: false },
    ]);
  });

  test.each<[string, Reply]>([
    ["is there", { status: 204 }],
    ["is gone already", { status: 404, body: refusal("NOT_FOUND", "no subscription") }],
  ])("is removed when it %s", async (_what, reply) => {
    const { ats, access, on, heard } = await openCompany();
    on("DELETE /v1/webhooks/subscriptions/sub-1", reply);
    await ats.unsubscribe(access, "sub-1");
    expect(heard).toHaveLength(1);
  });

  test("is not taken for gone because a proxy says 404", async () => {
    const { ats, access, on } = await openCompany();
    on("DELETE /v1/webhooks/subscriptions/sub-1", { status: 404, body: "<html>" });
    await expect(ats.unsubscribe(access, "sub-1")).rejects.toMatchObject({ code: "VENDOR_UNAVAILABLE" });
  });
});

describe("every list", () => {
  const subscriptionOf = (n: number) => ({ id: `s${n}`, event: EVENT, targetUrl: TARGET, status: "active" });
  const assessmentOf = (n: number) => ({
    id: `a${n}`,
    jobId: "j1",
    test: "disc",
    status: "invited",
    link: "",
  });
  const LISTS: [
    what: string,
    path: string,
    key: string,
    item: (n: number) => object,
    read: (company: Company) => Promise<readonly unknown[]>,
  ][] = [
    [
      "subscriptions",
      "/v1/webhooks/subscriptions",
      "content",
      subscriptionOf,
      async ({ ats, access }) => (await ats.subscriptions(access)).map(({ id }) => id),
    ],
    [
      "a candidate's assessments",
      "/v1/assessments?candidateId=c1",
      "content",
      assessmentOf,
      async ({ ats, access }) => (await ats.assessments(access, "c1")).map(({ id }) => id),
    ],
    [
      "a job's catalogue",
      "/v1/jobs/j1/assessments",
      "content",
      (n) => ({ stage: `s${n}`, test: "disc", trigger: "auto" }),
      async ({ ats, access }) => (await catalogThere(ats).list(access, "j1")).map(({ stage }) => stage),
    ],
    [
      "a scorecard",
      "/v1/candidates/c1/scorecard",
      "entries",
      (n) => ({ assessmentId: `s${n}`, title: "DISC" }),
      async ({ ats, access }) => (await ats.scorecard(access, "c1")).map(({ assessmentId }) => assessmentId),
    ],
    [
      "custom fields",
      "/v1/custom-fields",
      "content",
      (n) => ({ id: `s${n}`, label: "Dominance" }),
      async ({ smartrecruiters, access }) => (await smartrecruiters.planFields(access)).existing,
    ],
  ];
  const query = (path: string, name: string, value: string) =>
    `${path}${path.includes("?") ? "&" : "?"}${name}=${value}`;

  test.each(LISTS)(
    "%s is read to its end, whichever way a page names the next",
    async (_what, path, key, item, read) => {
      const pages = [[item(1), item(2)], [item(3)]].map((items) => ({ [key]: items }));
      const ways = {
        pageId: [{ body: { ...pages[0], nextPageId: "p2" } }, { body: pages[1] }],
        offset: [
          { body: { ...pages[0], offset: 0, limit: 2, totalFound: 3 } },
          { body: { ...pages[1], offset: 2, limit: 2, totalFound: 3 } },
        ],
        cursor: [
          {
            body: pages[0],
            headers: {
              link: `<https://elsewhere.example/v9?cursor=x%2Fy>; rel="next", <https://a.example/>; rel=prev`,
            },
          },
          { body: pages[1] },
        ],
      } satisfies Record<string, [Reply, Reply]>;
      const second = { pageId: "p2", offset: "2", cursor: "x%2Fy" };
      for (const [way, [first, last]] of Object.entries(ways)) {
        const company = await openCompany();
        company.on(`GET ${path}`, first);
        company.on(`GET ${query(path, way, Reflect.get(second, way))}`, last);
        expect(await read(company)).toHaveLength(3);
        // What a link names beside its query is not gone to: a token would travel with it.
        expect(company.heard).toHaveLength(2);
      }
    },
  );

  test("ends where nothing names a next page", async () => {
    const company = await openCompany();
    const content = [subscriptionOf(1)];
    company.on("GET /v1/webhooks/subscriptions", {
      body: { content, nextPageId: null, offset: 0, limit: 10, totalFound: 1 },
      headers: { link: `<https://a.example/?pageId=p0>; rel="prev"` },
    });
    expect(await company.ats.subscriptions(company.access)).toHaveLength(1);
    expect(company.heard).toHaveLength(1);
  });
});

describe("the custom fields", () => {
  test("are read, all of them, and none is made", async () => {
    const { smartrecruiters, access, on, heard } = await openCompany();
    const content = [
      { id: "cf-1", label: "Dominance", type: "number" },
      { id: 7, label: "Shoe size (EU)", type: "text" },
      { id: "not an id", label: "Influence" },
    ];
    on("GET /v1/custom-fields", { body: { content } });
    const plan = await smartrecruiters.planFields(access);
    const existing = ["Dominance (cf-1)", "Shoe size (EU) (7)"];
    expect(plan).toEqual({ group: null, create: [], existing, drifted: [], overQuota: [], leftOut: [] });
    expect(await smartrecruiters.applyFields(access, plan)).toEqual({
      created: [],
      existing,
      drifted: [],
      overQuota: [],
      leftOut: [],
      known: existing,
    });
    expect(heard).toHaveLength(1);
  });

  test.each<[string, Reply, string]>([
    ["the scope is missing", { status: 403, body: refusal("FORBIDDEN", "no") }, "VENDOR_REJECTED"],
    ["the vendor is down", { status: 502, body: "<html>" }, "VENDOR_UNAVAILABLE"],
    ["we are too fast", { status: 429, body: {} }, "VENDOR_RATE_LIMITED"],
    ["the answer is no list", { body: {} }, "VENDOR_UNEXPECTED"],
  ])("cannot be read when %s", async (_why, reply, code) => {
    const { smartrecruiters, access, on } = await openCompany();
    on("GET /v1/custom-fields", reply);
    await expect(smartrecruiters.planFields(access)).rejects.toMatchObject({ code });
  });
});

describe("the catalogue", () => {
  const entry = {
    test: "disc",
    required: true,
    trigger: "auto",
    dueDays: 7,
    emailTemplate: "branded",
  } as const;
  const place = { jobId: "j1", stage: "Phone screen" };
  const path = "/v1/jobs/j1/stages/Phone%20screen/assessment";

  test("tells what a stage triggers, or that it triggers nothing", async () => {
    const { ats, access, on } = await openCompany();
    expect(await catalogThere(ats).entry(access, place)).toBeNull();
    on(`GET ${path}`, { body: { stage: "Phone screen", ...entry } });
    expect(await catalogThere(ats).entry(access, place)).toEqual(entry);
  });

  test("takes a new entry and answers what the vendor now holds", async () => {
    const { ats, access, on, heard } = await openCompany();
    on(`PUT ${path}`, { body: { ...entry, dueDays: 5 } });
    expect(await catalogThere(ats).set(access, place, entry)).toEqual({ ...entry, dueDays: 5 });
    expect(JSON.parse(heard[0]?.body ?? "")).toEqual(entry);
  });

  test("lists the stages of a job", async () => {
    const { ats, access, on } = await openCompany();
    on("GET /v1/jobs/j1/assessments", { body: { content: [{ stage: "Phone screen", ...entry }] } });
    expect(await catalogThere(ats).list(access, "j1")).toEqual([{ stage: "Phone screen", ...entry }]);
  });
});

describe("a candidate", () => {
  const assessment = { id: "a1", jobId: "j1", test: "disc", status: "invited", link: "https://x.example/a1" };

  test("is made, put onto a job at a stage, and removed", async () => {
    const { ats, access, on, heard } = await openCompany();
    on("POST /v1/candidates", { status: 201, body: { id: "c1" } });
    on("POST /v1/candidates/c1/jobs/j1", { status: 201, body: {} });
    on("PUT /v1/candidates/c1/jobs/j1/status", { status: 204 });
    on("DELETE /v1/candidates/c1", { status: 204 }, { status: 404, body: refusal("NOT_FOUND", "gone") });
    const person = { firstName: "Ann", lastName: "Lee", email: "ann@example.com" };
    const candidateId = await ats.createCandidate(access, person);
    await ats.advance(access, { candidateId, jobId: "j1", stage: "Phone screen" });
    await ats.removeCandidate(access, candidateId);
    await ats.removeCandidate(access, candidateId);
    expect(heard.map(({ call }) => call)).toEqual([
      "POST /v1/candidates",
      "POST /v1/candidates/c1/jobs/j1",
      "PUT /v1/candidates/c1/jobs/j1/status",
      "DELETE /v1/candidates/c1",
      "DELETE /v1/candidates/c1",
    ]);
    expect(JSON.parse(heard[0]?.body ?? "")).toEqual(person);
    expect(JSON.parse(heard[2]?.body ?? "")).toEqual({ status: "IN_REVIEW", subStatus: "Phone screen" });
  });

  test("is asked to take a test, and that test is known afterwards", async () => {
    const { ats, lookUp, access, on } = await openCompany();
    const testOf = (candidateId: string, assessmentId: string) =>
      lookUp.ask(access, { org: "acme", about: { candidateId, assessmentId }, at: NOON });
    on("POST /v1/assessments", { status: 201, body: { ...assessment, candidateId: "c1" } });
    on("GET /v1/assessments?candidateId=c1", { body: { content: [assessment] } });
    expect(await ats.triggerAssessment(access, { candidateId: "c1", jobId: "j1", test: "disc" })).toEqual(
      assessment,
    );
    expect(await ats.assessments(access, "c1")).toEqual([assessment]);
    expect(await testOf("c1", "a1")).toEqual({ kind: "test", test: "disc" });
    expect(await testOf("c1", "a2")).toEqual({ kind: "test", test: null });
    expect(await testOf("gone", "a1")).toEqual({ kind: "test", test: null });
  });

  test("who is unknown has no scorecard, by the vendor's code", async () => {
    const { ats, access, on } = await openCompany();
    on("GET /v1/candidates/c9/scorecard", {
      status: 404,
      body: refusal("NOT_FOUND", "There is no candidate c9"),
    });
    await expect(ats.scorecard(access, "c9")).rejects.toMatchObject({
      code: "VENDOR_REJECTED",
      message: "SmartRecruiters refused reading a scorecard with 404: NOT_FOUND",
    });
  });

  test("is named in no error, whatever the vendor says", async () => {
    const { lookUp, access, on } = await openCompany();
    on("GET /v1/assessments?candidateId=c1", {
      status: 400,
      body: refusal("INVALID", "Ann Lee (ann.lee@example.com)\nhas no assessments"),
    });
    const about = { candidateId: "c1", assessmentId: "a1" };
    await expect(lookUp.ask(access, { org: "acme", about, at: NOON })).rejects.toMatchObject({
      message: "SmartRecruiters refused listing a candidate's assessments with 400: INVALID",
    });
  });

  test("has a scorecard whose values are texts", async () => {
    const { ats, access, on } = await openCompany();
    const entry = { assessmentId: "a1", title: "JobCannon: DISC", resultUrl: null };
    const entries = [
      { ...entry, score: null, summary: "DISC: Dominance 68", fields: [{ fieldId: "cf-1", value: 68 }] },
      entry,
    ];
    on("GET /v1/candidates/c1/scorecard", { body: { candidateId: "c1", entries } });
    expect(await ats.scorecard(access, "c1")).toEqual([
      { ...entry, summary: "DISC: Dominance 68", fields: [{ fieldId: "cf-1", value: "68" }] },
      { ...entry, summary: null, fields: [] },
    ]);
  });
});
