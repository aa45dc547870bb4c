/** Checks what a caller says a property shall be (https://developers.hubspot.com/docs/api-reference/latest/crm/properties/guide). */
import { isRecord } from "../http.ts";
import { invalidInput, type Refusal } from "./errors.ts";
import type { Version } from "./path.ts";
import { activeGroup, type Option, type Portal } from "./portal.ts";

export interface Definition {
  name: string;
  label: string;
  type: string;
  fieldType: string;
  groupName: string;
  description: string;
  options: Option[];
  displayOrder: number;
  hasUniqueValue: boolean;
  hidden: boolean;
  formField: boolean;
}

const FIELD_TYPES: Readonly<Record<string, readonly string[]>> = {
  string: ["text", "textarea", "file", "html", "phonenumber"],
  phone_number: ["phonenumber"],
  number: ["number"],
  enumeration: ["select", "radio", "checkbox", "booleancheckbox"],
  date: ["date"],
  datetime: ["date"],
  bool: ["booleancheckbox"],
};

export function readDefinition(
  portal: Portal,
  version: Version,
  input: Record<string, unknown>,
): Definition | Refusal {
  const { name, label, type, fieldType, groupName } = input;
  if (!isText(name)) return missing("name");
  if (!isText(label)) return missing("label");
  if (!isText(type)) return missing("type");
  if (!isText(fieldType)) return missing("fieldType");
  if (!isText(groupName)) return missing("groupName");
  if (!/^[a-z][a-z0-9_]{0,99}$/.test(name))
    return invalidInput(
      `Property name "${name}" is invalid: lower-case letters, digits and underscores, a letter first, at most 100 characters`,
    );
  const fieldTypes = FIELD_TYPES[type];
  if (!fieldTypes) return invalidInput(`"${type}" is not a property type`);
  if (!fieldTypes.includes(fieldType))
    return invalidInput(`fieldType "${fieldType}" does not fit type "${type}"`);
  if (!activeGroup(portal, groupName)) return invalidInput(`Property group "${groupName}" does not exist`);
  const options = readOptions(input.options, type, version);
  if (!Array.isArray(options)) return options;
  return {
    name,
    label,
    type,
    fieldType,
    groupName,
    description: isText(input.description) ? input.description : "",
    options,
    displayOrder: typeof input.displayOrder === "number" ? input.displayOrder : -1,
    hasUniqueValue: input.hasUniqueValue === true,
    hidden: input.hidden === true,
    formField: input.formField === true,
  };
}

function readOptions(input: unknown, type: string, version: Version): Option[] | Refusal {
  const given = Array.isArray(input) ? input : [];
  if (type === "enumeration" && given.length === 0) return missing("options");
  const options: Option[] = [];
  for (const [index, option] of given.entries()) {
    if (!isRecord(option) || !isText(option.label) || !isText(option.value))
      return invalidInput("each option needs a label and a value");
    const { label, value, displayOrder, hidden } = option;
    if (typeof displayOrder !== "number" && version !== "v3") return missing("options.displayOrder");
    if (options.some((other) => other.value === value))
      return invalidInput(`option value "${value}" is given twice`);
    const order = typeof displayOrder === "number" ? displayOrder : index;
    options.push({ label, value, displayOrder: order, hidden: hidden === true });
  }
  if (
    type === "bool" &&
    options
      .map((option) => option.value)
      .sort()
      .join() !== "false,true"
  )
    return invalidInput(
      'a bool property needs the options "true" and "false"',
      "PropertyValidationError.INVALID_BOOLEAN_OPTION",
    );
  return options;
}

function missing(field: string): Refusal {
  return invalidInput(`Some required fields were not set: [${field}]`);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
