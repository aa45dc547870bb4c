/** Checks the property values of one contact as HubSpot does, and brings them into the form it stores. */
import { isRecord } from "../http.ts";
import { activeProperty, type Portal, type Property } from "./portal.ts";

export interface Problem {
  name: string;
  /** HubSpot's code, such as `INVALID_OPTION`. */
  error: string;
  message: string;
}

/** The values to store, `""` for one to clear, and all that is wrong with what was given. */
export function readValues(
  portal: Portal,
  given: Record<string, unknown>,
  now: number,
): { values: Record<string, string>; problems: Problem[] } {
  const values: Record<string, string> = {};
  const problems: Problem[] = [];
  for (const [name, value] of Object.entries(given)) {
    const property = writableProperty(portal, name, now);
    const checked = property
      ? readValue(portal, property, value)
      : problem(name, "PROPERTY_DOESNT_EXIST", `Property "${name}" does not exist`);
    if (typeof checked === "string") values[name] = checked;
    else problems.push(checked);
  }
  return { values, problems };
}

/** Undefined also for one that is there and unknown where values are written. */
function writableProperty(portal: Portal, name: string, now: number): Property | undefined {
  const property = activeProperty(portal, name);
  if (property?.dataSensitivity !== "non_sensitive") return undefined;
  return (portal.unwritable.get(name) ?? now) > now ? undefined : property;
}

function readValue(portal: Portal, property: Property, value: unknown): string | Problem {
  const { name } = property;
  if (property.modificationMetadata.readOnlyValue)
    return problem(name, "READ_ONLY_VALUE", `"${name}" is a read only property; its value cannot be set.`);
  if (value === null || value === "") return "";
  if (isRecord(value) || Array.isArray(value))
    return problem(name, "INVALID_VALUE", `"${name}" must be a text`);
  const text = String(value);
  if (name === "email" || name === "hs_additional_emails") return readAddresses(portal, name, text);
  switch (property.type) {
    case "number":
      if (/^[+-]?(\d+\.?\d*|\.\d+)$/.test(text)) return text;
      return problem(name, "INVALID_LONG", `${text} was not a valid long.`);
    case "enumeration":
    case "bool":
      return readOption(property, text);
    case "date":
      return readDate(name, text);
    case "datetime":
      return readDatetime(name, text);
    default:
      if (text.length <= 65_536) return text;
      return problem(name, "STRING_TOO_LONG", `"${name}" is longer than 65536 characters`);
  }
}

/** One address for `email`, several with `;` between for the additional ones; in lower case. */
function readAddresses(portal: Portal, name: string, text: string): string | Problem {
  const addresses = (name === "email" ? [text] : text.split(";")).map(normalizeEmail);
  for (const address of addresses) {
    if (!isEmail(address)) return problem(name, "INVALID_EMAIL", `Email address ${address} is invalid`);
    // Unconfirmed: no source tells what an address on the privacy blocklist is answered with.
    if (portal.blocklist.has(address))
      return problem(name, "INVALID_EMAIL", `Email address ${address} was deleted for privacy reasons`);
  }
  return addresses.join(";");
}

export function normalizeEmail(text: string): string {
  return text.trim().toLowerCase();
}

function isEmail(text: string): boolean {
  return (
    text.length <= 254 &&
    !text.includes("..") &&
    /^[^\s@<>()[\],;:"\\.][^\s@<>()[\],;:"\\]*(?<!\.)@([\p{L}\d]([\p{L}\d-]*[\p{L}\d])?\.)+[\p{L}]{2,}$/u.test(
      text,
    )
  );
}

/** A checkbox takes several values with `;` between; a leading `;` adds to the ones there. */
function readOption({ name, fieldType, options }: Property, text: string): string | Problem {
  const chosen = fieldType === "checkbox" ? text.replace(/^;/, "").split(";") : [text];
  const wrong = chosen.find((value) => !options.some((option) => option.value === value));
  if (wrong === undefined) return text;
  const allowed = options.map((option) => option.label).join(", ");
  return problem(name, "INVALID_OPTION", `${wrong} was not one of the allowed options: [${allowed}]`);
}

const DAY_MS = 86_400_000;

function readDate(name: string, text: string): string | Problem {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(text) : readEpoch(text);
  if (Number.isNaN(at)) return problem(name, "INVALID_DATE", `${text} was not a valid date.`);
  if (at % DAY_MS === 0) return new Date(at).toISOString().slice(0, 10);
  return problem(name, "INVALID_DATE", `${text} is at ${new Date(at).toISOString()}, not midnight!`);
}

/** UTC stays as it was written; epoch milliseconds and other offsets are brought to UTC. */
function readDatetime(name: string, text: string): string | Problem {
  const isIso = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2}))?$/.test(text);
  const at = isIso ? Date.parse(text) : readEpoch(text);
  if (Number.isNaN(at)) return problem(name, "INVALID_DATE", `${text} was not a valid datetime.`);
  return isIso && text.endsWith("Z") ? text : new Date(at).toISOString();
}

function readEpoch(text: string): number {
  const at = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  return Math.abs(at) <= 8.64e15 ? at : Number.NaN;
}

export function problem(name: string, error: string, message: string): Problem {
  return { name, error, message };
}

/** HubSpot packs the details of a validation error as JSON into the text of the message. */
export function problemsMessage(portal: Portal, problems: readonly Problem[]): string {
  const details = problems.map(({ name, error, message }) => ({
    isValid: false,
    message,
    error,
    name,
    localizedErrorMessage: message,
    portalId: portal.id,
  }));
  return `Property values were not valid: ${JSON.stringify(details)}`;
}
