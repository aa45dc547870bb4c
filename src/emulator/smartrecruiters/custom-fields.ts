/** The fields a company keeps for scores. Their labels are what an admin typed: now a bare name, now a long one. */
import { isRecord } from "../http.ts";

export interface CustomField {
  id: string;
  label: string;
  type: string;
}

/** "Conscientiousness" is a dimension of both tests, so neither goes by the bare name. */
export const DEFAULT_FIELDS: readonly CustomField[] = [
  { id: "cf-disc-d", label: "Dominance", type: "number" },
  { id: "cf-disc-i", label: "Influence", type: "number" },
  { id: "cf-disc-s", label: "Steadiness", type: "number" },
  { id: "cf-disc-c", label: "JC DISC — Conscientiousness", type: "number" },
  { id: "cf-bigfive-o", label: "JC Big Five — Openness", type: "number" },
  { id: "cf-bigfive-c", label: "JC Big Five — Conscientiousness", type: "number" },
  { id: "cf-bigfive-e", label: "JC Big Five — Extraversion", type: "number" },
  { id: "cf-bigfive-a", label: "Agreeableness", type: "number" },
  { id: "cf-bigfive-n", label: "Neuroticism", type: "number" },
];

export function isCustomFields(value: unknown): value is CustomField[] {
  return Array.isArray(value) && value.every(isCustomField);
}

function isCustomField(value: unknown): value is CustomField {
  return isRecord(value) && [value.id, value.label, value.type].every((text) => typeof text === "string");
}
