/** What the scorecard shall say about one assessment, given its invites. Pure. */
import type { Invite } from "../../../core/invite.ts";
import { completionOf } from "../../../core/progress.ts";
import type { MappingWarning, Projection } from "../../../core/push.ts";
import { isoTime } from "../../../shared/clock.ts";
import { fillFields } from "./field-matching.ts";
import { newestFirst, telling } from "../telling/telling.ts";
import type { Value } from "../telling/test-values.ts";

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

  const { title, summary, resultUrl, values, urlWarnings } = telling(completed, resultBase);
  const fields = fillFields(values, knownFields ?? []);
  const heads = {
    ...{ title, summary, score: overallOf(values), resultUrl },
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
      ...urlWarnings,
      ...fields.warnings,
    ],
  };
}

function isCompletedHere({ status, origin }: Invite): boolean {
  return status === "completed" && origin?.vendor === "smartrecruiters" && origin.assessmentId !== null;
}

/** Two tests have two, and neither is the assessment's. */
function overallOf(values: readonly Value[]): string {
  const [only, ...others] = values.filter(({ isOverall }) => isOverall);
  return only && others.length === 0 && "value" in only.reading ? only.reading.value : "";
}

function withoutBlanks(heads: Readonly<Record<string, string>>): Projection {
  return Object.fromEntries(Object.entries(heads).filter(([, text]) => text !== ""));
}
