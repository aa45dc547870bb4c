/** The account's custom fields. An admin there made and named them; we create none, and only note which there are. */
import * as v from "valibot";
import type { FieldPlan, FieldReport } from "../../contract/destination.ts";
import { ENDPOINTS } from "./profile.ts";
import type { Caller } from "../calling/api.ts";
import { askAll } from "../calling/lists.ts";

export interface CustomField {
  id: string;
  label: string;
}

const Fields = v.object({
  content: v.array(
    v.object({ id: v.pipe(v.union([v.string(), v.number()]), v.transform(String)), label: v.string() }),
  ),
});

/** Throws `VENDOR_*`. */
export async function planFields(caller: Caller): Promise<FieldPlan> {
  const doing = "listing custom fields";
  const all = await askAll(caller, { endpoint: ENDPOINTS.customFields, schema: Fields, doing });
  const keys = all.filter(({ id }) => /^\S+$/.test(id)).map(keyOf);
  return { group: null, create: [], existing: [...new Set(keys)], drifted: [], overQuota: [], leftOut: [] };
}

/** There is nothing to apply: the plan tells what is there. */
export async function applyFields({ existing }: FieldPlan): Promise<FieldReport> {
  return { created: [], existing, drifted: [], overQuota: [], leftOut: [], known: existing };
}

/** What a projection calls the field: for people by its label, for the API by its id, in which there is no blank. */
export function keyOf({ id, label }: CustomField): string {
  return `${label} (${id})`;
}

/** Null for a key that names no field. */
export function fieldOf(key: string): CustomField | null {
  const [, label, id] = /^(.*) \((\S+)\)$/s.exec(key) ?? [];
  return label === undefined || id === undefined ? null : { id, label };
}
