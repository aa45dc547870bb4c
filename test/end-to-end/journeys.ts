/** Candidates' ways through their invitations, as the events that tell of them. */
import fc from "fast-check";
import type { InviteEvent, InviteTest } from "../world.ts";

const DAY_ONE = Date.UTC(2024, 2, 1, 9);
const HOUR_MS = 3_600_000;

const score = fc.oneof(
  fc.nat(100),
  fc.nat(100).map(String),
  fc.nat(199).map((half) => half / 2),
);

function dimensions(...names: string[]): fc.Arbitrary<object> {
  return fc
    .tuple(...names.map((name) => score.map((value) => ({ name, score: value }))))
    .map((list) => ({ dimensions: list }));
}

const RESULTS: Record<string, fc.Arbitrary<object>> = {
  disc: dimensions("Dominance", "Influence", "Steadiness", "Conscientiousness"),
  "big-five": fc.oneof(
    dimensions("Openness", "Conscientiousness", "Extraversion", "Agreeableness", "Neuroticism"),
    dimensions("Openness", "Conscientiousness", "Extraversion", "Agreeableness", "Emotional Stability"),
  ),
  "iq-test": fc.integer({ min: 50, max: 160 }).map((value) => ({ score: value })),
  integrity: score.map((value) => ({ score: value })),
  mbti: fc.constantFrom("INFJ-T", "ENTP", "isfp-a").map((type) => ({ type })),
  riasec: fc.oneof(
    dimensions("Realistic", "Investigative", "Artistic", "Social", "Enterprising", "Conventional"),
    fc.constantFrom("SEC", "RIA").map((code) => ({ code })),
  ),
  eq: fc.constant({ score: 70 }),
};

interface Test {
  slug: string;
  result: object;
  /** JobCannon names the moment, or does not. */
  isDated: boolean;
}

const test: fc.Arbitrary<Test> = fc
  .constantFrom(...Object.keys(RESULTS))
  .chain((slug) =>
    fc.record({ slug: fc.constant(slug), result: RESULTS[slug] ?? fc.constant({}), isDated: fc.boolean() }),
  );

interface Journey {
  tests: Test[];
  end: "completed" | "expired" | "cancelled" | "open";
  /** Of the tests that a journey does not complete, the first so many are; at least one before an early end. */
  done: number;
  startsAtHour: number;
  isSentAtKnown: boolean;
  /** All of it is told with one and the same timestamp. */
  isAtOnce: boolean;
}

const journey: fc.Arbitrary<Journey> = fc.record({
  tests: fc.uniqueArray(test, { selector: ({ slug }) => slug, minLength: 1, maxLength: 4 }),
  end: fc.constantFrom("completed", "completed", "expired", "cancelled", "open"),
  done: fc.nat(3),
  // Few hours, so that invites often begin in the same one.
  startsAtHour: fc.nat(5),
  isSentAtKnown: fc.boolean(),
  isAtOnce: fc.boolean(),
});

/** The events of some thirty candidates, in the order in which things happened to each. */
export const allEvents: fc.Arbitrary<InviteEvent[]> = fc
  .array(fc.array(journey, { minLength: 1, maxLength: 3 }), { minLength: 25, maxLength: 35 })
  .map((people) =>
    people.flatMap((journeys, person) =>
      journeys.flatMap((each, index) =>
        eventsOf(each, `inv_${person}_${index}`, `person.${person}@example.org`),
      ),
    ),
  );

function eventsOf(told: Journey, id: string, email: string): InviteEvent[] {
  const { tests, end } = told;
  const isEarlyEnd = (end === "expired" || end === "cancelled") && tests.length > 1;
  const most = end === "completed" ? tests.length : tests.length - 1;
  const done = end === "completed" ? most : Math.min(Math.max(told.done, isEarlyEnd ? 1 : 0), most);
  const isOver = end === "completed" || isEarlyEnd;
  const counts = Array.from({ length: done + 1 }, (_, count) => count);
  const steps = counts.map((count) => ({ type: count === 0 ? "invite.sent" : "invite.progress", count }));
  if (isOver) steps.push({ type: `invite.${end}`, count: done });
  return steps.map(({ type, count }, step): InviteEvent => {
    const at = (hour: number) => new Date(DAY_ONE + (told.startsAtHour + hour) * HOUR_MS).toISOString();
    return {
      type,
      timestamp: at(told.isAtOnce ? 0 : step),
      data: {
        invitation_id: id,
        org: "acme",
        ...(told.isSentAtKnown ? { sent_at: at(0) } : {}),
        ...(count === tests.length ? { completed_at: at(count) } : {}),
        candidate: {
          email: step % 2 === 0 ? email : ` ${email.toUpperCase()}`,
          first_name: "Robin",
          last_name: "Vale",
        },
        tests: tests.map((each, index) => testAt(each, index < count ? at(index) : null)),
      },
    };
  });
}

function testAt({ slug, result, isDated }: Test, completedAt: string | null): InviteTest {
  if (completedAt === null) return { slug, status: "assigned" };
  return { slug, status: "completed", ...(isDated ? { completed_at: completedAt } : {}), result };
}
