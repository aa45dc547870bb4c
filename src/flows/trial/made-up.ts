import { randomBytes } from "node:crypto";
import type { Invite } from "../../core/invite.ts";

const MINUTE_MS = 60_000;

/** Nobody's address: example.com never gets mail (RFC 2606). */
export function madeUpPerson(): { firstName: string; lastName: string; email: string } {
  const mark = randomBytes(4).toString("hex");
  return { firstName: "Trial", lastName: `JobCannon ${mark}`, email: `jobcannon-trial-${mark}@example.com` };
}

/** A value for every kind of field. */
export function madeUpInvite(
  { firstName, lastName, email }: ReturnType<typeof madeUpPerson>,
  { org, now }: { org: string; now: number },
): Invite {
  const completedAt = now - MINUTE_MS;
  const test = (slug: string, result: Invite["tests"][number]["result"]) =>
    ({ slug, status: "completed", completedAt, result }) as const;
  const dimensions = (scores: Record<string, number>) => ({
    dimensions: Object.entries(scores).map(([name, score]) => ({ name, score })),
  });
  return {
    org,
    invitationId: `trial_${email.split("@")[0]}`,
    at: completedAt,
    status: "completed",
    declaredStatus: "completed",
    sentAt: now - 60 * MINUTE_MS,
    completedAt,
    earliestAt: completedAt,
    candidate: { email, firstName, lastName },
    tests: [
      test("disc", dimensions({ Dominance: 68, Influence: 41, Steadiness: 55, Conscientiousness: 80 })),
      test(
        "big-five",
        dimensions({
          Openness: 74,
          Conscientiousness: 81,
          Extraversion: 46,
          Agreeableness: 63,
          Neuroticism: 29,
        }),
      ),
      test("iq-test", { score: 118 }),
      test("integrity", { score: 87 }),
      test("mbti", { type: "INFJ" }),
      test("riasec", { code: "IAS" }),
    ],
    resultUrl: null,
    origin: null,
    warnings: [],
    bodyHash: "",
  };
}
