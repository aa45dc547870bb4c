/** What a completed test says, value by value, under the names that people in SmartRecruiters know. Pure. */
import type { Test, TestResult } from "../../../core/event.ts";
import { dimension, overallScore, type Reading, SCORES, type ScoreName } from "../../../core/scores.ts";
import { plain } from "../../../shared/text.ts";

export interface Value {
  slug: string;
  /** As a field of its own is labelled: "JC DISC — Dominance". */
  label: string;
  /** The dimension alone, "Dominance"; null for what is no dimension. */
  dimension: string | null;
  reading: NonNullable<Reading>;
  /** Of the test as a whole. */
  isOverall: boolean;
  /** The others are raw material of those. */
  isInSummary: boolean;
}

const TEST_NAMES: ReadonlyMap<string, string> = new Map([
  ["disc", "DISC"],
  ["big-five", "Big Five"],
  ["iq-test", "IQ"],
  ["integrity", "Integrity"],
  ["mbti", "MBTI"],
  ["riasec", "RIASEC"],
  ["eq", "EQ"],
]);
const OVERALL: readonly ScoreName[] = ["iq_score", "integrity_score"];

export function nameOfTest(slug: string): string {
  return TEST_NAMES.get(slug) ?? oneLine(slug);
}

export function valuesOf({ slug, result }: Test & { result: TestResult }): Value[] {
  const tabled = tabledValues(slug, result);
  const isTabled = tabled.length > 0;
  const values = [
    ...tabled,
    ...(isTabled ? [] : [overallValue(slug, result)]),
    ...otherDimensions(slug, result, tabled).map((value) => ({ ...value, isInSummary: !isTabled })),
  ];
  return values.flatMap(({ reading, ...value }) => (reading === null ? [] : [{ ...value, reading }]));
}

/** Labels are typed by people: case, blanks and the kind of dash do not tell them apart. */
export function sameLabelKey(label: string): string {
  return label
    .toLowerCase()
    .replace(/\s+/g, "")
    .replace(/[‐-―−]/g, "-");
}

type Read = Omit<Value, "reading"> & { reading: Reading };

function tabledValues(slug: string, result: TestResult): Read[] {
  return SCORES.filter((score) => score.slug === slug).map(({ name, label, read }) => ({
    slug,
    label,
    dimension: label.split(" — ")[1] ?? null,
    reading: read(result),
    isOverall: OVERALL.includes(name),
    isInSummary: true,
  }));
}

function overallValue(slug: string, result: TestResult): Read {
  const label = `JC ${nameOfTest(slug)} Score`;
  const reading = overallScore(result);
  return { slug, label, dimension: null, reading, isOverall: true, isInSummary: true };
}

function otherDimensions(slug: string, result: TestResult, tabled: readonly Read[]): Read[] {
  const known = new Set(tabled.map((value) => sameLabelKey(value.dimension ?? "")));
  const others: Read[] = [];
  for (const { name } of result.dimensions ?? []) {
    const key = sameLabelKey(name);
    if (known.has(key)) continue;
    known.add(key);
    const bare = oneLine(name);
    const label = `JC ${nameOfTest(slug)} — ${bare}`;
    const reading = dimension(name.trim())(result);
    others.push({ slug, label, dimension: bare, reading, isOverall: false, isInSummary: true });
  }
  return others;
}

function oneLine(text: string): string {
  return plain(text).replace(/\s+/g, " ").trim();
}
