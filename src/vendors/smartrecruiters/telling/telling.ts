/** What people in SmartRecruiters read of a result, whichever contract brings it there. Pure. */
import type { Test } from "../../../core/event.ts";
import type { Invite } from "../../../core/invite.ts";
import { completionOf } from "../../../core/progress.ts";
import type { MappingWarning } from "../../../core/push.ts";
import { isScored, resultUrlOf } from "../../../core/scores.ts";
import { nameOfTest, type Value, valuesOf } from "./test-values.ts";

const LONGEST_TITLE = 200;
const LONGEST_SUMMARY = 1_000;

export interface Telling {
  title: string;
  /** Blank where no test has a value. */
  summary: string;
  /** Blank where there is none. */
  resultUrl: string;
  values: readonly Value[];
  urlWarnings: MappingWarning[];
}

/** Of completed invites, the newest first. */
export function telling(completed: readonly Invite[], resultBase: string): Telling {
  const [newest] = completed;
  const tests = newestTests(completed);
  const values = tests.flatMap((test) => (isScored(test) ? valuesOf(test) : []));
  const url = newest ? resultUrlOf(newest, resultBase) : null;
  return {
    title: shortened(`JobCannon: ${tests.map(({ slug }) => nameOfTest(slug)).join(", ")}`, LONGEST_TITLE),
    summary: shortened(summaryOf(values), LONGEST_SUMMARY),
    resultUrl: url && "value" in url ? url.value : "",
    values,
    urlWarnings: url && "problem" in url ? [{ field: "resultUrl", reason: url.problem }] : [],
  };
}

export function newestFirst(a: Invite, b: Invite): number {
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

/** Never ends in half a character. */
function shortened(text: string, longest: number): string {
  if (text.length <= longest) return text;
  return `${text.slice(0, longest - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
