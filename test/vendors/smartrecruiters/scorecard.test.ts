import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Snapshot, Test, TestResult } from "../../../src/core/event.ts";
import { mapScorecard } from "../../../src/vendors/smartrecruiters/v1/scorecard.ts";
import { anInvite, aTest, NOON } from "../../core/example.ts";
import { tries } from "../../tries.ts";

const ORIGIN = { vendor: "smartrecruiters", candidateId: "c1", jobId: "j1", assessmentId: "a1" };
const DISC = dimensions({ Dominance: 68, Influence: 41, Steadiness: 55, Conscientiousness: 80 });
const BIG_FIVE = dimensions({
  Openness: 74,
  Conscientiousness: 81,
  Extraversion: 46,
  Agreeableness: 63,
  "Emotional Stability": 71,
});
const EQ = { ...dimensions({ "Self-awareness": 79, Empathy: 77 }), score: 76 };

function dimensions(scores: Record<string, unknown>): TestResult {
  return { dimensions: Object.entries(scores).map(([name, score]) => ({ name, score })) };
}

function taken(results: Record<string, TestResult | null>): Test[] {
  return Object.entries(results).map(([slug, result]) => aTest({ slug, result }));
}

function invite(results: Record<string, TestResult | null>, changes: Partial<Snapshot> = {}) {
  return anInvite({ origin: ORIGIN, completedAt: NOON, tests: taken(results), ...changes });
}

function map(results: Record<string, TestResult | null>, knownFields: string[] | null = null) {
  return mapScorecard([invite(results)], { resultBase: "https://jobcannon.io/", knownFields });
}

describe("the scorecard of an assessment", () => {
  test("names the tests and says in one line what they found", () => {
    expect(map({ disc: DISC, mbti: { type: "INFJ-T" } })).toEqual({
      projection: {
        title: "JobCannon: DISC, MBTI",
        summary: "DISC: Dominance 68, Influence 41, Steadiness 55, Conscientiousness 80; MBTI: INFJ",
        resultUrl: "https://jobcannon.io/business/dashboard/invites/inv_1",
        completedAt: "2026-11-22T12:00:00.000Z",
      },
      warnings: [],
    });
  });

  test.each([
    ["iq-test", { score: 118 }, "JobCannon: IQ", "IQ: 118", "118"],
    ["integrity", { score: "87" }, "JobCannon: Integrity", "Integrity: 87", "87"],
    ["eq", EQ, "JobCannon: EQ", "EQ: 76, Self-awareness 79, Empathy 77", "76"],
    ["typing", { score: 70 }, "JobCannon: typing", "typing: 70", "70"],
  ])("holds the overall score of a lone %s", (slug, result, title, summary, score) => {
    expect(map({ [slug]: result }).projection).toMatchObject({ title, summary, score });
  });

  test("holds the score of the one test among several that has one", () => {
    expect(map({ disc: DISC, "iq-test": { score: 118 } }).projection.score).toBe("118");
  });

  test("holds no score where two tests have one, or none", () => {
    expect(map({ "iq-test": { score: 118 }, integrity: { score: 87 } }).projection).not.toHaveProperty(
      "score",
    );
    expect(map({ disc: DISC }).projection).not.toHaveProperty("score");
  });

  test("shows RIASEC as its code and Neuroticism as the other end of Emotional Stability", () => {
    const riasec = dimensions({ Realistic: 135, Investigative: 182, Artistic: 171 });
    const { projection, warnings } = map({ riasec, "big-five": BIG_FIVE });
    expect(projection.summary).toBe(
      "RIASEC: IAR; Big Five: Openness 74, Conscientiousness 81, Extraversion 46, Agreeableness 63, Neuroticism 29",
    );
    expect(warnings).toEqual([]);
  });

  test("leaves out what is out of range, and warns", () => {
    const { projection, warnings } = map({
      disc: dimensions({ Dominance: 168, Influence: 41 }),
      "iq-test": { score: 20 },
    });
    expect(projection.summary).toBe("DISC: Influence 41");
    expect(projection).not.toHaveProperty("score");
    expect(warnings).toEqual([
      { field: "JC DISC — Dominance", reason: "is outside 0–100" },
      { field: "JC IQ Score", reason: "is outside 50–160" },
    ]);
  });

  test("carries the event's own page, unless that is no web address", () => {
    const own = invite({ disc: DISC }, { resultUrl: "https://results.example/1" });
    const bad = invite({ disc: DISC }, { resultUrl: "javascript:alert(1)" });
    const options = { resultBase: "https://jobcannon.io", knownFields: null };
    expect(mapScorecard([own], options).projection.resultUrl).toBe("https://results.example/1");
    const { projection, warnings } = mapScorecard([bad], options);
    expect(projection).not.toHaveProperty("resultUrl");
    expect(warnings).toEqual([{ field: "resultUrl", reason: "is no web address" }]);
  });

  test("has neither summary nor fields while no test tells a result", () => {
    const { projection } = map({ disc: null }, ["Dominance (cf-d)"]);
    expect(Object.keys(projection)).toEqual(["title", "resultUrl", "completedAt"]);
  });

  test("stays short, however much there is to say", () => {
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`Trait ${n} 🙂`, n % 100]));
    const { projection } = map({ huge: dimensions(many), ["x".repeat(500)]: { score: 1 } });
    expect(projection.summary?.length).toBeLessThanOrEqual(1_000);
    expect(projection.summary).toMatch(/…$/);
    expect(projection.title?.length).toBeLessThanOrEqual(200);
  });
});

describe("which invites speak", () => {
  const options = { resultBase: "https://jobcannon.io", knownFields: null };

  test.each<[string, Partial<Snapshot>]>([
    ["is not completed", { tests: [aTest({ status: "started" })] }],
    [
      "was cancelled half-way",
      { status: "cancelled", tests: [aTest(), aTest({ slug: "mbti", status: "started" })] },
    ],
    ["began at JobCannon", { origin: null }],
    ["began at another vendor", { origin: { ...ORIGIN, vendor: "other" } }],
    ["belongs to no assessment", { origin: { ...ORIGIN, assessmentId: null } }],
  ])("none that %s", (_what, changes) => {
    expect(mapScorecard([invite({ disc: DISC }, changes)], options)).toEqual({
      projection: {},
      warnings: [],
    });
  });

  test("the newest of several, whatever their order", () => {
    const older = invite({ disc: dimensions({ Dominance: 10 }), mbti: { type: "INFJ" } });
    const newer = invite(
      { disc: dimensions({ Dominance: 90 }) },
      { invitationId: "inv_2", at: NOON + 1, completedAt: NOON + 1 },
    );
    for (const invites of [
      [older, newer],
      [newer, older],
    ]) {
      const { projection } = mapScorecard(invites, options);
      expect(projection.summary).toBe("DISC: Dominance 90; MBTI: INFJ");
      expect(projection.resultUrl).toMatch(/inv_2$/);
    }
  });
});

describe("a custom field", () => {
  const filled = (results: Record<string, TestResult>, ...keys: string[]) => {
    const { projection, warnings } = map(results, keys);
    const fields = Object.entries(projection).filter(([key]) => key.endsWith(")"));
    return { fields: Object.fromEntries(fields), warnings };
  };

  test.each([
    ["Dominance (cf-1)", "68"],
    ["  dominance  (cf-1)", "68"],
    ["JC DISC — Dominance (cf-1)", "68"],
    ["jc disc - DOMINANCE (cf-1)", "68"],
    ["JC MBTI Type (7f3c)", "INFJ"],
  ])("labelled as %j holds %s", (key, value) => {
    expect(filled({ disc: DISC, mbti: { type: "INFJ" } }, key)).toEqual({
      fields: { [key]: value },
      warnings: [],
    });
  });

  test.each([
    "Shoe size (cf-9)",
    "Dominance",
    "Openness (cf-1)",
    "JC Big Five — Openness (cf-1)",
    "Dominance (in DISC) (cf-1)",
  ])("labelled as %j is none of ours for a DISC", (key) => {
    expect(filled({ disc: DISC }, key)).toEqual({ fields: {}, warnings: [] });
  });

  test("is filled by the dimensions of tests that have no score of their own in our table", () => {
    expect(
      filled({ eq: EQ }, "empathy (cf-1)", "JC EQ — Self-awareness (cf-2)", "JC EQ Score (cf-3)").fields,
    ).toEqual({ "empathy (cf-1)": "77", "JC EQ — Self-awareness (cf-2)": "79", "JC EQ Score (cf-3)": "76" });
  });

  test("may be there twice under one label", () => {
    expect(filled({ disc: DISC }, "Dominance (cf-1)", "Dominance (cf-2)").fields).toEqual({
      "Dominance (cf-1)": "68",
      "Dominance (cf-2)": "68",
    });
  });

  test("is left out, with advice, when two of the tests have a dimension of that name", () => {
    expect(filled({ disc: DISC, "big-five": BIG_FIVE }, "Conscientiousness (cf-1)")).toEqual({
      fields: {},
      warnings: [
        {
          field: "Conscientiousness (cf-1)",
          reason:
            'is a dimension of DISC and Big Five: label the field as one of them, e.g. "JC DISC — Conscientiousness"',
        },
      ],
    });
  });

  test("follows that advice, and needs it only where both tests were taken", () => {
    const [disc, bigFive] = ["JC DISC — Conscientiousness (cf-1)", "JC Big Five — Conscientiousness (cf-2)"];
    expect(filled({ disc: DISC, "big-five": BIG_FIVE }, disc, bigFive)).toEqual({
      fields: { [disc]: "80", [bigFive]: "81" },
      warnings: [],
    });
    expect(filled({ "big-five": BIG_FIVE }, "Conscientiousness (cf-1)").fields).toEqual({
      "Conscientiousness (cf-1)": "81",
    });
  });

  test("stays as it is for a value out of range, which is warned of once", () => {
    const riasec = dimensions({ Realistic: 135, Investigative: 82, Artistic: 71 });
    expect(filled({ riasec }, "Realistic (cf-1)", "Artistic (cf-2)")).toEqual({
      fields: { "Artistic (cf-2)": "71" },
      warnings: [{ field: "JC RIASEC — Realistic", reason: "is outside 0–100" }],
    });
  });
});

test("whatever the results hold, a projection is texts with something in them", () => {
  const result = fc.record(
    {
      dimensions: fc.array(fc.record({ name: fc.string({ minLength: 1 }), score: fc.jsonValue() })),
      score: fc.jsonValue(),
      type: fc.jsonValue(),
      code: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  const slug = fc.constantFrom("disc", "big-five", "iq-test", "mbti", "riasec", "eq", "__proto__");
  const label = fc.oneof(fc.constantFrom("Dominance", "JC EQ Score", "__proto__"), fc.string());
  fc.assert(
    fc.property(fc.array(fc.tuple(slug, result), { minLength: 1 }), fc.array(label), (tests, labels) => {
      const made = anInvite({
        origin: ORIGIN,
        tests: tests.map(([slug, result]) => aTest({ slug, result })),
      });
      const knownFields = labels.map((each, index) => `${each} (cf-${index})`);
      const { projection } = mapScorecard([made], { resultBase: "https://jobcannon.io", knownFields });
      expect(Object.values(projection).every((value) => typeof value === "string" && value !== "")).toBe(
        true,
      );
      const heads = ["title", "summary", "score", "resultUrl", "completedAt"];
      const others = Object.keys(projection).filter((key) => !heads.includes(key));
      expect(others.every((key) => knownFields.includes(key))).toBe(true);
      expect(projection.summary ?? "").not.toMatch(/[\n\r]/);
    }),
    tries(100),
  );
});
