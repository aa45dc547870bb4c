/** What the scorecard shall say about one assessment, given its invites. Pure. */
import type { Test } from "../../../core/event.ts";
import type { Invite } from "../../../core/invite.ts";
import { completionOf } from "../../../core/progress.ts";
import type { MappingWarning, Projection } from "../../../core/push.ts";
import { isScored, resultUrlOf } from "../../../core/scores.ts";
import { isoTime } from "../../../shared/clock.ts";
import { fillFields } from "./field-matching.ts";
import { nameOfTest, type Value, valuesOf } from "./test-values.ts";

const LONGEST_TITLE = 200;
const LONGEST_SUMMARY = 1_000;

/**
 * Completed invites alone speak, and none that began elsewhere: the projection is empty without one. A value that is
 * absent is left out. `knownFields`: the account's custom fields when they were last read; none before.
 */
export function mapScorecard(
  invites: readonly Invite[],
  { resultBase, knownFields }: { resultBase: string; knownFields: readonly string[] | null },
): { projection: Projection; warnings: MappingWarning[] } {
  const completed = invites.filter(isCompletedHere).sort(newestFirst);
  const [newest] = completed;
  if (!newest) return { projection: {}, warnings: [] };

  const tests = newestTests(completed);
  const values = tests.flatMap((test) => (isScored(test) ? valuesOf(test) : []));
  const fields = fillFields(values, knownFields ?? []);
  const url = resultUrlOf(newest, resultBase);
  const heads = {
    title: shortened(`JobCannon: ${tests.map(({ slug }) => nameOfTest(slug)).join(", ")}`, LONGEST_TITLE),
    summary: shortened(summaryOf(values), LONGEST_SUMMARY),
    score: overallOf(values),
    resultUrl: url && "value" in url ? url.value : "",
    completedAt: isoTime(completionOf(newest)),
  };
  return {
    projection: { ...withoutBlanks(heads), ...fields.projection },
    warnings: [
      ...values.flatMap((value) =>
        "problem" in value.reading && (value.isInSummary || fields.met.has(value))
          ? [{ field: value.label, reason: value.reading.problem }]
          : [],
      ),
      ...(url && "problem" in url ? [{ field: "resultUrl", reason: url.problem }] : []),
      ...fields.warnings,
    ],
  };
}

function isCompletedHere({ status, origin }: Invite): boolean {
  return status === "completed" && origin?.vendor === "smartrecruiters" && origin.assessmentId !== null;
}

function newestFirst(a: Invite, b: Invite): number {
  return completionOf(b) - completionOf(a) || (a.invitationId < b.invitationId ? 1 : -1);
}

/** One for each slug, in the order of the newest invite; one that has a result before one that has none. */
function newestTests(invites: readonly Invite[]): Test[] {
  const newest = new Map<string, { test: Test; at: number }>();
  for (const invite of invites) {
    for (const test of invite.tests.filter(({ status }) => status === "completed")) {
      const at = test.completedAt ?? invite.at;
      const known = newest.get(test.slug);
      const isBetter = !known || (isScored(test) && (!isScored(known.test) || at > known.at));
      if (isBetter) newest.set(test.slug, { test, at });
    }
  }
  return [...newest.values()].map(({ test }) => test);
}

/** "DISC: Dominance 68, Influence 41; MBTI: INFJ" */
function summaryOf(values: readonly Value[]): string {
  const parts = new Map<string, string[]>();
  for (const { slug, dimension, reading, isInSummary } of values) {
    if (!isInSummary || !("value" in reading)) continue;
    const part = dimension === null ? reading.value : `${dimension} ${reading.value}`;
    parts.set(slug, [...(parts.get(slug) ?? []), part]);
  }
  return [...parts].map(([slug, each]) => `${nameOfTest(slug)}: ${each.join(", ")}`).join("; ");
}

/** Two tests have two, and neither is the assessment's. */
function overallOf(values: readonly Value[]): string {
  const [only, ...others] = values.filter(({ isOverall }) => isOverall);
  return only && others.length === 0 && "value" in only.reading ? only.reading.value : "";
}

function withoutBlanks(heads: Readonly<Record<string, string>>): Projection {
  return Object.fromEntries(Object.entries(heads).filter(([, text]) => text !== ""));
}

/** Never ends in half a character. */
function shortened(text: string, longest: number): string {
  if (text.length <= longest) return text;
  return `${text.slice(0, longest - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
