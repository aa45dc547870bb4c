/**
 * The company's candidate properties that results fill. An administrator there creates them, since no call does; we read
 * which there are, and write to each by its id.
 * https://developers.smartrecruiters.com/reference/candidatespropertiesvaluesbatchupdateforjob-1
 */
import * as v from "valibot";
import { SCORES, STATE_LABELS } from "../../../core/scores.ts";
import type { LeftOutField } from "../../../core/connection.ts";
import type { FieldPlan, FieldReport, WantedField } from "../../contract/destination.ts";
import type { Caller } from "../calling/api.ts";
import { askAll } from "../calling/lists.ts";
import { sameLabelKey } from "../telling/test-values.ts";
import { ENDPOINTS } from "./contract.ts";

type Kind = "number" | "text" | "date";

interface OurProperty {
  /** What the administrator is asked to give it as its key. */
  key: string;
  label: string;
  kind: Kind;
}

export const OUR_PROPERTIES: readonly OurProperty[] = [
  ...SCORES.map(({ name, label, kind }) => ({ key: `jc_${name}`, label, kind })),
  { key: "jc_test_status", label: STATE_LABELS.jc_test_status, kind: "text" },
  { key: "jc_result_url", label: STATE_LABELS.jc_result_url, kind: "text" },
  { key: "jc_completed_at", label: STATE_LABELS.jc_completed_at, kind: "date" },
  { key: "jc_invitation_id", label: STATE_LABELS.jc_invitation_id, kind: "text" },
];

/** The first is what an administrator is asked for; the others take our values, too. */
const TYPES: Readonly<Record<Kind, readonly [string, ...string[]]>> = {
  number: ["NUMBER", "PERCENT", "TEXT"],
  text: ["TEXT"],
  date: ["DATE", "TEXT"],
};

/** One that the company has, and that takes our values. */
export interface KnownProperty {
  key: string;
  /** By which it is written: the vendor's own, or the key itself. */
  id: string;
  type: string;
}

const text = v.fallback(v.nullable(v.string()), null);
const Definition = v.object({
  id: v.pipe(v.union([v.string(), v.number()]), v.transform(String)),
  key: text,
  label: v.fallback(v.string(), ""),
  type: v.fallback(v.string(), ""),
});
const Definitions = v.object({ content: v.array(Definition) });
type Definition = v.InferOutput<typeof Definition>;

/** Throws `VENDOR_*`. */
export async function planProperties(caller: Caller): Promise<FieldPlan> {
  const doing = "listing candidate properties";
  const all = await askAll(caller, { endpoint: ENDPOINTS.definitions, schema: Definitions, doing });
  return planOf(all);
}

/** Pure. */
export function planOf(definitions: readonly Definition[]): FieldPlan {
  const existing: string[] = [];
  const leftOut: LeftOutField[] = [];
  const wanted: WantedField[] = [];
  for (const { key, label, kind } of OUR_PROPERTIES) {
    const found = definitionOf({ key, label }, definitions);
    const [type, ...others] = TYPES[kind];
    if (!found) wanted.push({ name: key, label, type });
    else if ([type, ...others].includes(found.type))
      existing.push(nameOf({ key, id: found.id, type: found.type }));
    else
      leftOut.push({ name: key, reason: `it is ${found.type || "of no type"} there, and should be ${type}` });
  }
  return { group: null, create: [], existing, drifted: [], overQuota: [], leftOut, wanted };
}

/** By its key or its id; by its label where a definition shows neither. An id goes into names, so it holds no blank. */
function definitionOf(
  { key, label }: Pick<OurProperty, "key" | "label">,
  definitions: readonly Definition[],
): Definition | undefined {
  const usable = definitions.filter(({ id }) => /^[^\s:()]+$/.test(id));
  return (
    usable.find((each) => each.key === key || each.id === key) ??
    usable.find(
      (each) => each.key === null && [key, label].map(sameLabelKey).includes(sameLabelKey(each.label)),
    )
  );
}

/** There is nothing to apply: the plan tells what is there. */
export async function applyProperties({ existing, leftOut, wanted = [] }: FieldPlan): Promise<FieldReport> {
  return { created: [], existing, drifted: [], overQuota: [], leftOut, wanted, known: existing };
}

/** What a projection calls it: for people by its key, for the API by its id and type. */
export function nameOf({ key, id, type }: KnownProperty): string {
  return `${key} (${id}:${type})`;
}

/** Null for a name that is no property's. */
export function propertyOf(name: string): KnownProperty | null {
  const [, key, id, type] = /^(\S+) \(([^\s:()]+):(\w+)\)$/.exec(name) ?? [];
  return key === undefined || id === undefined || type === undefined ? null : { key, id, type };
}

/** As the API takes it. */
export function valueFor({ id, type }: KnownProperty, value: string): { id: string; value: string | number } {
  return { id, value: type === "NUMBER" || type === "PERCENT" ? Number(value) : value };
}
