/** JobCannon's scores: their names, and how each is read from a completed test's result. Pure. */
import type { Test, TestResult } from "./event.ts";
import type { Invite } from "./invite.ts";

/** Null: the result does not speak of this score at all. A problem names no score: it is candidate data. */
export type Reading = { value: string } | { problem: string } | null;

export interface Score {
  name: ScoreName;
  /** As people in the vendor's system see it. */
  label: string;
  kind: "number" | "text";
  slug: string;
  read(result: TestResult): Reading;
}

/** In the order of the guide's table. */
const TABLE = [
  ["disc_d", "JC DISC — Dominance", "disc", dimension("Dominance")],
  ["disc_i", "JC DISC — Influence", "disc", dimension("Influence")],
  ["disc_s", "JC DISC — Steadiness", "disc", dimension("Steadiness")],
  ["disc_c", "JC DISC — Conscientiousness", "disc", dimension("Conscientiousness")],
  ["bigfive_o", "JC Big Five — Openness", "big-five", dimension("Openness")],
  ["bigfive_c", "JC Big Five — Conscientiousness", "big-five", dimension("Conscientiousness")],
  ["bigfive_e", "JC Big Five — Extraversion", "big-five", dimension("Extraversion")],
  ["bigfive_a", "JC Big Five — Agreeableness", "big-five", dimension("Agreeableness")],
  ["bigfive_n", "JC Big Five — Neuroticism", "big-five", readNeuroticism],
  ["iq_score", "JC IQ Score", "iq-test", ({ score }: TestResult) => inRange(score, 50, 160)],
  ["integrity_score", "JC Integrity Score", "integrity", overallScore],
  ["mbti_type", "JC MBTI Type", "mbti", readMbtiType],
  ["riasec_holland", "JC RIASEC Holland Code", "riasec", readHollandCode],
] as const;

export type ScoreName = (typeof TABLE)[number][0];

const TEXTS: readonly ScoreName[] = ["mbti_type", "riasec_holland"];

export const SCORES: readonly Score[] = TABLE.map(([name, label, slug, read]) => ({
  name,
  label,
  kind: TEXTS.includes(name) ? "text" : "number",
  slug,
  read,
}));

/** Of what is told beside the scores. */
export const STATE_LABELS = {
  jc_test_status: "JC Test Status",
  jc_result_url: "JC Result URL",
  jc_completed_at: "JC Completed At",
  jc_invitation_id: "JC Invitation ID",
} as const;

/** All fields of ours by their names, as people in the vendor's system see them. */
export const FIELD_LABELS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(SCORES.map(({ name, label }) => [`jc_${name}`, label])),
  ...STATE_LABELS,
};

interface Told {
  reading: NonNullable<Reading>;
  /** When the test was completed, ms. */
  at: number;
  invitationId: string;
}

/**
 * The newest completed test that speaks of the score decides, also when what it says is no valid value: an
 * older score would pass for the newest one.
 */
export function newestReading(
  { slug, read }: Pick<Score, "slug" | "read">,
  invites: readonly Invite[],
): Told | null {
  let newest: Told | null = null;
  for (const invite of invites) {
    for (const test of invite.tests) {
      if (test.slug !== slug || !isScored(test)) continue;
      const reading = read(test.result);
      if (!reading) continue;
      const told = { reading, at: test.completedAt ?? invite.at, invitationId: invite.invitationId };
      if (!newest || !isOlder(told, newest)) newest = told;
    }
  }
  return newest;
}

export function isScored(test: Test): test is Test & { result: TestResult } {
  return test.status === "completed" && test.result !== null;
}

function isOlder(a: Told, b: Told): boolean {
  return a.at === b.at ? a.invitationId < b.invitationId : a.at < b.at;
}

/**
 * Unless the event carries its own, the page in the dashboard, which opens for people signed in there. It has none for
 * an invite that another source told.
 */
export function resultUrlOf({ resultUrl, invitationId, toldBy }: Invite, resultBase: string): Reading {
  if (resultUrl === null && toldBy !== undefined) return null;
  if (resultUrl === null)
    return {
      value: `${resultBase.replace(/\/+$/, "")}/business/dashboard/invites/${encodeURIComponent(invitationId)}`,
    };
  const scheme = URL.canParse(resultUrl) ? new URL(resultUrl).protocol : null;
  const isWeb = scheme === "https:" || scheme === "http:";
  return isWeb ? { value: resultUrl.trim() } : { problem: "is no web address" };
}

/** One dimension on a scale of 0 to 100. */
export function dimension(name: string): Score["read"] {
  return (result) => inRange(scoreOf(result, name), 0, 100);
}

/** Of the test as a whole, on the same scale. */
export function overallScore({ score }: TestResult): Reading {
  return inRange(score, 0, 100);
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
