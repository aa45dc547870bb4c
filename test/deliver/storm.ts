/** What the storms share: a seed of their own each time, people whose results change, and what the vendor went through. */
import fc from "fast-check";
import { onTestFailed } from "vitest";
import type { Fault } from "../emulated.ts";
import { disc, type InviteEvent, invite } from "../world.ts";

export const UPSERT = "/crm/v3/objects/contacts/batch/upsert";

/** One value of the arbitrary, another one in each run; says how to meet the same one again when the test fails. */
export function anyOf<Value>(arbitrary: fc.Arbitrary<Value>): Value {
  const seed = Number(process.env.JC_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
  onTestFailed(() => {
    process.stderr.write(`Again with the same storm: JC_TEST_SEED=${seed}\n`);
  });
  const [value] = fc.sample(arbitrary, { numRuns: 1, seed });
  if (value === undefined) throw new Error("there is no sample");
  return value;
}

/** Failures that ask for a second or two at most. */
export const quickMood: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({ status: fc.constantFrom(500, 502, 503, 504, 423) }),
  fc.record({ status: fc.constantFrom(403, 404, 410), body: fc.constant({ message: "no such path" }) }),
  fc.constant({ status: 429, body: { policyName: "SECONDLY" } }),
  fc.constant({ status: 200, body: { status: "COMPLETE", results: [] } }),
  fc.constant({ status: 503, body: "<html>Be right back</html>", headers: { "retry-after": "1" } }),
  fc.constant({ drop: true }),
  fc.record({ delayMs: fc.integer({ min: 50, max: 900 }) }),
);

const ROLLING = { status: 429, body: { policyName: "TEN_SECONDLY_ROLLING" } };
export const rollingWindow: Fault[] = [ROLLING, { ...ROLLING, headers: { "retry-after": "11" } }];

/** What JobCannon tells of one person, and the score that the contact shall hold then. */
export interface Told {
  email: string;
  score: number;
  event: InviteEvent;
}

function told(n: number, score: number, hour: number): Told {
  const email = `person.${n}@example.org`;
  const timestamp = `2024-05-15T${hour}:00:00Z`;
  const tests = [disc([score, 1, 2, 3])];
  return { email, score, event: invite({ invitation_id: `inv_storm_${n}`, email, timestamp, tests }) };
}

/** So many people's results; every fifth is corrected later on. In their order, in so many parts. */
export function newsOf(n: number, parts: number): Told[][] {
  const results = Array.from({ length: n }, (_, person) => told(person, person % 101, 10));
  const corrections = results.flatMap((_, person) =>
    person % 5 === 0 ? [told(person, (person + 50) % 101, 11)] : [],
  );
  return [...chunksOf(results, Math.ceil(parts / 2)), ...chunksOf(corrections, Math.floor(parts / 2))];
}

function chunksOf<Item>(items: readonly Item[], n: number): Item[][] {
  const size = Math.ceil(items.length / n);
  return Array.from({ length: n }, (_, index) => items.slice(index * size, (index + 1) * size));
}

/** The score of each contact once all is told. */
export function scoresOf(news: readonly (readonly Told[])[]): Record<string, string> {
  return Object.fromEntries(news.flat().map(({ email, score }) => [email, `${score}`]));
}
