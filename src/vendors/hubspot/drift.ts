/** How a portal's properties differ from our definitions where it matters. Pure. */
import * as v from "valibot";
import type { FieldPlan } from "../contract/destination.ts";
import { DEFINITIONS, type Definition } from "./properties.ts";

export const PropertySchema = v.object({
  name: v.string(),
  type: v.string(),
  fieldType: v.string(),
  groupName: v.fallback(v.string(), ""),
  options: v.fallback(v.array(v.object({ value: v.string() })), []),
});
export type Property = v.InferOutput<typeof PropertySchema>;

/** Labels, descriptions and further options are the portal's own business. */
export function driftOf(present: ReadonlyMap<string, Property>): FieldPlan["drifted"] {
  return DEFINITIONS.flatMap((definition) => {
    const property = present.get(definition.name);
    if (!property) return [];
    return differences(definition, property).map((difference) => ({ name: definition.name, difference }));
  });
}

function differences(wanted: Definition, found: Property): string[] {
  const options = wanted.type === "enumeration" ? wanted.options : [];
  const lacking = options.filter(({ value }) => !found.options.some((option) => option.value === value));
  return [
    differs("type", found.type, wanted.type),
    differs("field type", found.fieldType, wanted.fieldType),
    differs("group", found.groupName, wanted.groupName),
    lacking.length > 0 ? `lacks the option ${lacking.map(({ value }) => value).join(", ")}` : null,
  ].filter((difference) => difference !== null);
}

function differs(what: string, found: string, wanted: string): string | null {
  return found === wanted ? null : `${what} is ${found}, not ${wanted}`;
}
