/** The contact properties that JobCannon's results live in, as HubSpot's property API wants them defined. */
import { INVITE_STATUSES, type InviteStatus } from "../../core/event.ts";
import { SCORES, STATE_LABELS, type ScoreName } from "../../core/scores.ts";

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
export type PropertyName = `jc_${ScoreName}` | (typeof STATE_TABLE)[number][0];

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

const STATE_TABLE = [
  ["jc_test_status", STATE_LABELS.jc_test_status, STATUS],
  ["jc_result_url", STATE_LABELS.jc_result_url, TEXT],
  ["jc_completed_at", STATE_LABELS.jc_completed_at, DATETIME],
  ["jc_invitation_id", STATE_LABELS.jc_invitation_id, TEXT],
] as const;

/** In the order of creation: where a portal's quota is short, the last ones stay out. */
const TABLE: readonly (readonly [PropertyName, string, Kind])[] = [
  ...SCORES.map(({ name, label, kind }) => [`jc_${name}`, label, kind === "number" ? NUMBER : TEXT] as const),
  ...STATE_TABLE,
];

export const DEFINITIONS: readonly Definition[] = TABLE.map(([name, label, kind]) => ({
  name,
  label,
  groupName: GROUP.name,
  ...kind,
}));
