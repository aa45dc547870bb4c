/** Which value belongs into which custom field, by the field's label. Pure. */
import type { MappingWarning, Projection } from "../../../core/push.ts";
import { type CustomField, fieldOf, keyOf } from "./custom-fields.ts";
import { nameOfTest, sameLabelKey, type Value } from "../telling/test-values.ts";

/** A full label counts before a bare dimension, which must be that of one test only. */
export function fillFields(
  values: readonly Value[],
  knownFields: readonly string[],
): { projection: Projection; warnings: MappingWarning[]; met: ReadonlySet<Value> } {
  const byLabel = grouped(values, ({ label }) => label);
  const byDimension = grouped(values, ({ dimension }) => dimension);
  const projection: Projection = {};
  const warnings: MappingWarning[] = [];
  const met = new Set<Value>();
  for (const field of knownFields.map(fieldOf).filter((each): each is CustomField => each !== null)) {
    const label = sameLabelKey(field.label);
    const fitting = byLabel.get(label) ?? byDimension.get(label) ?? [];
    const [value, ...others] = fitting;
    if (!value) continue;
    if (others.length > 0) {
      warnings.push({ field: keyOf(field), reason: ambiguity(fitting) });
      continue;
    }
    met.add(value);
    if ("value" in value.reading) projection[keyOf(field)] = value.reading.value;
  }
  return { projection, warnings, met };
}

function grouped(
  values: readonly Value[],
  nameOf: (value: Value) => string | null,
): ReadonlyMap<string, Value[]> {
  const groups = new Map<string, Value[]>();
  for (const value of values) {
    const name = nameOf(value);
    if (name === null) continue;
    const key = sameLabelKey(name);
    groups.set(key, [...(groups.get(key) ?? []), value]);
  }
  return groups;
}

function ambiguity(values: readonly Value[]): string {
  const tests = values.map(({ slug }) => nameOfTest(slug)).join(" and ");
  return `is a dimension of ${tests}: label the field as one of them, e.g. "${values[0]?.label}"`;
}
