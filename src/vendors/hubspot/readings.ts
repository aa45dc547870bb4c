/** How each score property is read from a completed test's result. Pure. */
import type { TestResult } from "../../core/event.ts";
import type { PropertyName } from "./properties.ts";

/** Null: the result does not speak of this property at all. A problem names no score: it is candidate data. */
export type Reading = { value: string } | { problem: string } | null;

export interface Score {
  property: PropertyName;
  slug: string;
  read(result: TestResult): Reading;
}

export const SCORES: readonly Score[] = [
  dimension("jc_disc_d", "disc", "Dominance"),
  dimension("jc_disc_i", "disc", "Influence"),
  dimension("jc_disc_s", "disc", "Steadiness"),
  dimension("jc_disc_c", "disc", "Conscientiousness"),
  dimension("jc_bigfive_o", "big-five", "Openness"),
  dimension("jc_bigfive_c", "big-five", "Conscientiousness"),
  dimension("jc_bigfive_e", "big-five", "Extraversion"),
  dimension("jc_bigfive_a", "big-five", "Agreeableness"),
  { property: "jc_bigfive_n", slug: "big-five", read: readNeuroticism },
  { property: "jc_iq_score", slug: "iq-test", read: ({ score }) => inRange(score, 50, 160) },
  { property: "jc_integrity_score", slug: "integrity", read: ({ score }) => inRange(score, 0, 100) },
  { property: "jc_mbti_type", slug: "mbti", read: readMbtiType },
  { property: "jc_riasec_holland", slug: "riasec", read: readHollandCode },
];

function dimension(property: PropertyName, slug: string, name: string): Score {
  return { property, slug, read: (result) => inRange(scoreOf(result, name), 0, 100) };
}

/** The dimension as it came; undefined when it is not there. */
function scoreOf(result: TestResult, name: string): unknown {
  const wanted = name.toLowerCase();
  return result.dimensions?.find((each) => each.name.trim().toLowerCase() === wanted)?.score;
}

/** Some reports give the opposite end of the scale instead. */
function readNeuroticism(result: TestResult): Reading {
  const neuroticism = inRange(scoreOf(result, "Neuroticism"), 0, 100);
  if (neuroticism) return neuroticism;
  const stability = inRange(scoreOf(result, "Emotional Stability"), 0, 100);
  return stability && "value" in stability ? { value: decimal(100 - Number(stability.value)) } : stability;
}

/** `INFJ-T` is INFJ: the suffix belongs to no letter of the four. */
function readMbtiType({ type }: TestResult): Reading {
  if (isAbsent(type)) return null;
  const letters =
    typeof type === "string" ? /^([EI][NS][FT][JP])(?:-.*)?$/i.exec(type.trim())?.[1] : undefined;
  return letters ? { value: letters.toUpperCase() } : { problem: "is no MBTI type" };
}

const RIASEC = [
  ["R", "Realistic"],
  ["I", "Investigative"],
  ["A", "Artistic"],
  ["S", "Social"],
  ["E", "Enterprising"],
  ["C", "Conventional"],
] as const;

/** A ready code counts before the scores. */
function readHollandCode(result: TestResult): Reading {
  return isAbsent(result.code) ? rankRiasec(result) : readCode(result.code);
}

function readCode(code: unknown): Reading {
  const letters = typeof code === "string" ? code.trim().toUpperCase() : "";
  const isCode = /^[RIASEC]{3,6}$/.test(letters) && new Set(letters).size === letters.length;
  return isCode
    ? { value: letters.slice(0, 3) }
    : { problem: "is no code of three different RIASEC letters" };
}

/** The three highest; raw RIASEC scores pass 100. The sort is stable, so that ties keep the order R I A S E C. */
function rankRiasec(result: TestResult): Reading {
  const scores = RIASEC.map(([letter, name]) => ({ letter, score: scoreOf(result, name) })).filter(
    ({ score }) => !isAbsent(score),
  );
  if (scores.length === 0) return null;
  if (scores.length < 3) return { problem: "needs at least three RIASEC scores" };
  const ranked = scores.map(({ letter, score }) => ({ letter, score: numberOf(score) ?? Number.NaN }));
  // One score that cannot be read could belong anywhere in the order.
  if (ranked.some(({ score }) => Number.isNaN(score)))
    return { problem: "has a RIASEC score that is no number" };
  ranked.sort((a, b) => b.score - a.score);
  return {
    value: ranked
      .slice(0, 3)
      .map(({ letter }) => letter)
      .join(""),
  };
}

function inRange(score: unknown, least: number, most: number): Reading {
  if (isAbsent(score)) return null;
  const number = numberOf(score);
  if (number === null) return { problem: "is not a number" };
  if (number < least || number > most) return { problem: `is outside ${least}–${most}` };
  return { value: decimal(number) };
}

/** HubSpot takes digits and one dot, so exponents and commas are no numbers here. */
function numberOf(score: unknown): number | null {
  if (typeof score === "number") return Number.isFinite(score) ? score : null;
  if (typeof score !== "string" || !/^[+-]?\d+(\.\d+)?$/.test(score.trim())) return null;
  return Number(score);
}

/** Six decimals: never an exponent, and no trace of binary arithmetic such as 35.900000000000006. */
function decimal(number: number): string {
  return String(Number(number.toFixed(6)) + 0);
}

function isAbsent(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}
