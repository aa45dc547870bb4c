/** What a candidate of the emulator scores: always the same, so that a test can expect it. */
const RESULTS: Readonly<Record<string, object>> = {
  disc: {
    dimensions: dimensions({ Dominance: 68, Influence: 41, Steadiness: 55, Conscientiousness: 80 }),
    duration_seconds: 245,
  },
  "big-five": {
    dimensions: dimensions({
      Openness: 74,
      Conscientiousness: 81,
      Extraversion: 46,
      Agreeableness: 63,
      Neuroticism: 29,
    }),
    duration_seconds: 612,
  },
  "iq-test": { score: 118, duration_seconds: 1_480 },
  integrity: { score: 87, duration_seconds: 390 },
  mbti: { type: "INFJ-T", duration_seconds: 540 },
  riasec: {
    dimensions: dimensions({
      Realistic: 35,
      Investigative: 82,
      Artistic: 71,
      Social: 58,
      Enterprising: 44,
      Conventional: 27,
    }),
    code: "IAS",
    duration_seconds: 415,
  },
  eq: {
    score: 76,
    dimensions: dimensions({
      "Self-awareness": 79,
      "Self-regulation": 70,
      Motivation: 82,
      Empathy: 77,
      "Social skills": 72,
    }),
    duration_seconds: 360,
  },
};

/** A test we do not know has a score all the same. */
export function plausibleResult(slug: string): object {
  return RESULTS[slug] ?? { score: 70 };
}

function dimensions(scores: Record<string, number>): { name: string; score: number }[] {
  return Object.entries(scores).map(([name, score]) => ({ name, score }));
}
