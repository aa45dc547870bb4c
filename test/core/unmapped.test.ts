import { expect, test } from "vitest";
import type { Test, TestResult, TestStatus } from "../../src/core/event.ts";
import { withUnmapped } from "../../src/core/unmapped.ts";
import { aSnapshot } from "./example.ts";

const took = (slug: string, result: TestResult | null, status: TestStatus = "completed"): Test => ({
  slug,
  status,
  completedAt: null,
  result,
});
const warningsOf = (...tests: Test[]) => withUnmapped(aSnapshot({ tests, warnings: [] })).warnings;
const scored = (...names: string[]) => ({ dimensions: names.map((name) => ({ name, score: 50 })) });

test.each([
  ["disc", scored("Dominance", " influence", "STEADINESS", "Conscientiousness")],
  [
    "big-five",
    scored("Openness", "Conscientiousness", "Extraversion", "Agreeableness", "Emotional Stability"),
  ],
  ["big-five", scored("Neuroticism")],
  ["iq-test", { score: 120, durationSeconds: 3 }],
  ["integrity", { score: "88" }],
  ["mbti", { type: "INFJ-T" }],
  ["riasec", { code: "RIA" }],
  ["riasec", scored("Realistic", "Investigative", "Artistic", "Social", "Enterprising", "Conventional")],
  ["eq", { score: 71, ...scored("Empathy") }],
])("nothing is told of %s as JobCannon sends it", (slug, result) => {
  expect(warningsOf(took(slug, result))).toEqual([]);
});

test("a value out of its range is no stranger: the push tells of it", () => {
  expect(warningsOf(took("disc", { dimensions: [{ name: "Dominance", score: 168 }] }))).toEqual([]);
});

test.each([
  ["another spelling of a slug", took("DISC", scored("Dominance")), 'the test "DISC" is unknown'],
  ["an unknown slug before its result came", took("grit", null, "assigned"), 'the test "grit" is unknown'],
  ["a dimension of another test", took("disc", scored("Openness")), 'the dimension "Openness" (50)'],
  [
    "a dimension said twice",
    took("disc", scored("Dominance", "dominance")),
    'the dimension "dominance" (50)',
  ],
  ["a score where none belongs", took("mbti", { type: "INFJ", score: 4 }), "mbti: its score (4)"],
  ["a type where none belongs", took("iq-test", { score: 99, type: "INFJ" }), "iq-test: its type (INFJ)"],
  ["a code where none belongs", took("disc", { ...scored("Dominance"), code: "D" }), "disc: its code (D)"],
  ["a result too early", took("disc", scored("Dominance"), "started"), "disc is started, but has a result"],
  ["no result", took("disc", null), "disc is completed, but came without a result"],
])("%s is told", (_, test, words) => {
  expect(warningsOf(test)).toEqual([expect.stringContaining(words)]);
});

test("what is told is plain, short and no more than twenty lines, whatever a body holds", () => {
  const names = Array.from({ length: 5_000 }, (_, index) => `\u001b[31m${"x".repeat(900)}${index}`);
  const warnings = warningsOf(took("disc", scored(...names)));
  expect(warnings).toHaveLength(21);
  expect(warnings.at(-1)).toBe("and 4980 more of its kind");
  expect(warnings.every((each) => each.length < 200 && !each.includes("\u001b"))).toBe(true);
});
