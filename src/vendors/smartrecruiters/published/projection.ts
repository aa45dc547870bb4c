/** What a candidate's application shall hold about one result, given its invites. Pure. */
import type { Invite } from "../../../core/invite.ts";
import { completionOf } from "../../../core/progress.ts";
import type { MappingWarning, Projection } from "../../../core/push.ts";
import { newestReading, SCORES } from "../../../core/scores.ts";
import { isoTime } from "../../../shared/clock.ts";
import { newestFirst, telling } from "../telling/telling.ts";
import type { ResultsTo } from "../keys.ts";
import { propertyOf } from "./properties.ts";

/**
 * Completed invites alone speak, and none that began in another system. The heads say whose result it is (`candidate` and
 * `job`, or `email` where nobody knows more), and what the note says; the rest are values of the company's properties.
 */
export function mapResult(
  invites: readonly Invite[],
  {
    resultBase,
    knownFields,
    results,
  }: { resultBase: string; knownFields: readonly string[] | null; results: readonly ResultsTo[] },
): { projection: Projection; warnings: MappingWarning[] } {
  const completed = invites.filter(isTold).sort(newestFirst);
  const [newest] = completed;
  if (!newest) return { projection: {}, warnings: [] };
  const { title, summary, resultUrl, values: read, urlWarnings } = telling(completed, resultBase);
  const values = results.includes("properties")
    ? valuesOf(completed, { newest, resultUrl, knownFields: knownFields ?? [] })
    : { values: {}, warnings: [] };
  const note: Projection = results.includes("note") ? { title, ...(summary && { summary }) } : {};
  const unread = read.flatMap(({ label, reading, isInSummary }) =>
    "problem" in reading && isInSummary ? [{ field: label, reason: reading.problem }] : [],
  );
  const all = withoutRepeats([...unread, ...urlWarnings, ...values.warnings]);
  const told = { ...note, ...values.values };
  if (Object.keys(told).length === 0) return { projection: {}, warnings: all };
  const heads: Projection = { ...whoseIs(newest), invitation: newest.invitationId };
  return {
    projection: { ...heads, ...(resultUrl && { resultUrl }), ...told },
    warnings: all,
  };
}

function isTold({ status, origin }: Invite): boolean {
  return status === "completed" && (origin === null || origin.vendor === "smartrecruiters");
}

/** An operator's word counts before the source's; without either the address has to tell. */
function whoseIs({ assigned, origin, candidate }: Invite): Projection {
  if (assigned?.vendor === "smartrecruiters") return { candidate: assigned.candidateId, job: assigned.jobId };
  if (!origin) return { email: candidate.email.trim() };
  return { candidate: origin.candidateId, ...(origin.jobId && { job: origin.jobId }) };
}

function valuesOf(
  completed: readonly Invite[],
  { newest, resultUrl, knownFields }: { newest: Invite; resultUrl: string; knownFields: readonly string[] },
): { values: Projection; warnings: MappingWarning[] } {
  const ours: Record<string, string> = {
    jc_test_status: newest.status,
    jc_result_url: resultUrl,
    jc_completed_at: isoTime(completionOf(newest)),
    jc_invitation_id: newest.invitationId,
  };
  const warnings: MappingWarning[] = [];
  for (const score of SCORES) {
    const reading = newestReading(score, completed)?.reading;
    if (!reading) continue;
    if ("value" in reading) ours[`jc_${score.name}`] = reading.value;
    else warnings.push({ field: score.label, reason: reading.problem });
  }
  const values: Projection = {};
  for (const name of knownFields) {
    const value = ours[propertyOf(name)?.key ?? ""];
    if (value) values[name] = value;
  }
  return { values, warnings };
}

/** What keeps a value from its property keeps it from the note, too. */
function withoutRepeats(warnings: readonly MappingWarning[]): MappingWarning[] {
  const key = ({ field, reason }: MappingWarning) => `${field}\n${reason}`;
  return [...new Map(warnings.map((warning) => [key(warning), warning])).values()];
}
