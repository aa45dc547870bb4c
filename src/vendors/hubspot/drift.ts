/** How a portal's properties differ from our definitions where it matters, and which cannot take our values. Pure. */
import * as v from "valibot";
import type { LeftOutField } from "../../core/connection.ts";
import type { FieldPlan } from "../contract/destination.ts";
import { DEFINITIONS, type Definition } from "./properties.ts";

export const PropertySchema = v.object({
  name: v.string(),
  type: v.string(),
  fieldType: v.string(),
  groupName: v.fallback(v.string(), ""),
  options: v.fallback(v.array(v.object({ value: v.string() })), []),
  calculated: v.fallback(v.boolean(), false),
  dataSensitivity: v.fallback(v.string(), "non_sensitive"),
  modificationMetadata: v.fallback(v.object({ readOnlyValue: v.boolean() }), { readOnlyValue: false }),
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

/** Those of ours that are there and cannot take our values. */
export function unfitOf(present: ReadonlyMap<string, Property>): LeftOutField[] {
  return DEFINITIONS.flatMap((definition) => {
    const property = present.get(definition.name);
    const reason = property ? unfitness(definition, property) : null;
    return reason === null ? [] : [{ name: definition.name, reason }];
  });
}

/** Why the property cannot take all values of ours; null where it can. */
export function unfitness(wanted: Definition, found: Property): string | null {
  if (found.calculated || found.modificationMetadata.readOnlyValue) return "its value is read only";
  if (found.dataSensitivity !== "non_sensitive") return `it is kept as ${found.dataSensitivity} data`;
  if (found.type === "enumeration") return lackingOptions(wanted, found) ?? takenBy(wanted, found);
  return takenBy(wanted, found);
}

/** Any text fits into a text; a moment is no day, which HubSpot wants at midnight. */
function takenBy(wanted: Definition, { type }: Property): string | null {
  return type === "string" || type === wanted.type ? null : differs("type", type, wanted.type);
}

function differences(wanted: Definition, found: Property): string[] {
  return [
    differs("type", found.type, wanted.type),
    differs("field type", found.fieldType, wanted.fieldType),
    differs("group", found.groupName, wanted.groupName),
    lackingOptions(wanted, found),
  ].filter((difference) => difference !== null);
}

function lackingOptions(wanted: Definition, found: Property): string | null {
  const options = wanted.type === "enumeration" ? wanted.options : [];
  const lacking = options.filter(({ value }) => !found.options.some((option) => option.value === value));
  return lacking.length > 0 ? `lacks the option ${lacking.map(({ value }) => value).join(", ")}` : null;
}

function differs(what: string, found: string, wanted: string): string | null {
  return found === wanted ? null : `${what} is ${found}, not ${wanted}`;
}
