/** `POST /v1/assessments/{id}/results`: the write-back. It fills the scorecard, and everyone subscribed is told. */
import { isRecord, json, type Reply } from "../http.ts";
import type { ApiCall } from "./api.ts";
import type { Assessment, ScorecardEntry } from "./company.ts";
import { failure, invalid } from "./errors.ts";
import { isText, isTextOrNull } from "./input.ts";
import { announceCompletion } from "./webhooks.ts";
import type { SmartWorld } from "./world.ts";

export function deliverResults(
  world: SmartWorld,
  { company, input }: ApiCall,
  assessment: Assessment,
): Reply {
  const entry = readEntry(world, assessment.id, input);
  if ("status" in entry) return entry;
  assessment.entry = entry;
  assessment.status = "completed";
  return { ...json(201, entry), after: () => announceCompletion(world, company, assessment) };
}

function readEntry(
  world: SmartWorld,
  assessmentId: string,
  input: Record<string, unknown>,
): ScorecardEntry | Reply {
  const { title, score = null, summary = null, resultUrl = null, completedAt = null } = input;
  if (!isText(title)) return invalid("title must not be blank");
  if (!isTextOrNull(score) && typeof score !== "number") return invalid("score must be a number or text");
  if (!isTextOrNull(summary)) return invalid("summary must be text");
  if (!isTextOrNull(resultUrl) || (resultUrl !== null && !URL.canParse(resultUrl)))
    return invalid("resultUrl is no URL");
  if (!isTextOrNull(completedAt) || (completedAt !== null && Number.isNaN(Date.parse(completedAt))))
    return invalid("completedAt is no point in time");
  const fields = readFields(world, input.fields ?? []);
  if ("status" in fields) return fields;
  return { assessmentId, title, score, summary, resultUrl, completedAt, fields };
}

function readFields({ customFields }: SmartWorld, input: unknown): ScorecardEntry["fields"] | Reply {
  if (!Array.isArray(input)) return invalid("fields must be a list");
  const fields: ScorecardEntry["fields"] = [];
  for (const field of input) {
    if (!isRecord(field) || !isText(field.fieldId) || field.value === undefined)
      return invalid("a field is a fieldId and a value");
    const { fieldId, value } = field;
    if (!customFields.some(({ id }) => id === fieldId))
      return failure(422, "FIELD_NOT_FOUND", `There is no custom field ${fieldId}`);
    fields.push({ fieldId, value });
  }
  return fields;
}
