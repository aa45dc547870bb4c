/** The contact properties that JobCannon's results live in, as HubSpot's property API wants them defined. */
import { INVITE_STATUSES, type InviteStatus } from "../../core/event.ts";

export const GROUP = {
  name: "jobcannon_assessments",
  label: "JobCannon Assessments",
  displayOrder: -1,
} as const;

/** Pairs that HubSpot accepts: https://developers.hubspot.com/docs/api-reference/latest/crm/properties/guide */
type Kind =
  | { type: "number"; fieldType: "number" }
  | { type: "string"; fieldType: "text" }
  | { type: "datetime"; fieldType: "date" }
  | { type: "enumeration"; fieldType: "select"; options: Option[] };

interface Option {
  label: string;
  value: string;
  displayOrder: number;
  hidden: boolean;
}

export type Definition = Kind & { name: PropertyName; label: string; groupName: string };
export type PropertyName = (typeof TABLE)[number][0];

const NUMBER: Kind = { type: "number", fieldType: "number" };
const TEXT: Kind = { type: "string", fieldType: "text" };
const DATETIME: Kind = { type: "datetime", fieldType: "date" };

const STATUS_LABELS: Record<InviteStatus, string> = {
  invited: "Invited",
  in_progress: "In progress",
  completed: "Completed",
  expired: "Expired",
  cancelled: "Cancelled",
};
const STATUS: Kind = {
  type: "enumeration",
  fieldType: "select",
  options: INVITE_STATUSES.map((value, displayOrder) => ({
    label: STATUS_LABELS[value],
    value,
    displayOrder,
    hidden: false,
  })),
};

/** In the order of creation: where a portal's quota is short, the last ones stay out. */
const TABLE = [
  ["jc_disc_d", "JC DISC — Dominance", NUMBER],
  ["jc_disc_i", "JC DISC — Influence", NUMBER],
  ["jc_disc_s", "JC DISC — Steadiness", NUMBER],
  ["jc_disc_c", "JC DISC — Conscientiousness", NUMBER],
  ["jc_bigfive_o", "JC Big Five — Openness", NUMBER],
  ["jc_bigfive_c", "JC Big Five — Conscientiousness", NUMBER],
  ["jc_bigfive_e", "JC Big Five — Extraversion", NUMBER],
  ["jc_bigfive_a", "JC Big Five — Agreeableness", NUMBER],
  ["jc_bigfive_n", "JC Big Five — Neuroticism", NUMBER],
  ["jc_iq_score", "JC IQ Score", NUMBER],
  ["jc_integrity_score", "JC Integrity Score", NUMBER],
  ["jc_mbti_type", "JC MBTI Type", TEXT],
  ["jc_riasec_holland", "JC RIASEC Holland Code", TEXT],
  ["jc_test_status", "JC Test Status", STATUS],
  ["jc_result_url", "JC Result URL", TEXT],
  ["jc_completed_at", "JC Completed At", DATETIME],
  ["jc_invitation_id", "JC Invitation ID", TEXT],
] as const;

export const DEFINITIONS: readonly Definition[] = TABLE.map(([name, label, kind]) => ({
  name,
  label,
  groupName: GROUP.name,
  ...kind,
}));
