/** The inputs of a call that writes contacts, and what makes HubSpot refuse them all before it looks at any record. */
import { isRecord } from "../http.ts";
import { normalizeEmail } from "./contact-values.ts";
import { invalidInput, type Refusal } from "./errors.ts";
import { activeProperty, type Portal } from "./portal.ts";

export type WriteMode = "create" | "update" | "upsert";

export interface Input {
  /** Empty for a contact to create. */
  id: string;
  idProperty: string;
  properties: Record<string, unknown>;
  traceId: string | undefined;
}

export const RECORD_ID = "hs_object_id";
const MAX_INPUTS = 100;

export function readInputs(given: unknown[], mode: WriteMode): Input[] | Refusal {
  const inputs: Input[] = [];
  for (const item of given) {
    if (!isRecord(item) || !isRecord(item.properties))
      return invalidInput("Invalid input JSON: Some required fields were not set: [properties]");
    const { id = "", idProperty, properties, objectWriteTraceId } = item;
    if (mode !== "create" && (typeof id !== "string" || id === ""))
      return invalidInput("Invalid input JSON: Some required fields were not set: [id]");
    inputs.push({
      id: mode === "create" ? "" : String(id),
      idProperty: typeof idProperty === "string" ? idProperty : RECORD_ID,
      properties,
      traceId: typeof objectWriteTraceId === "string" ? objectWriteTraceId : undefined,
    });
  }
  return inputs;
}

/** What HubSpot refuses as a whole, with trace ids and without. */
export function refuseWhole(portal: Portal, inputs: Input[]): Refusal | undefined {
  if (inputs.length > MAX_INPUTS)
    return invalidInput(`The maximum number of inputs supported in a batch request is ${MAX_INPUTS}`);
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const { id, idProperty } of inputs) {
    if (id === "") continue;
    if (!isUnique(portal, idProperty))
      return invalidInput(`'${idProperty}' is a non-unique 0-1 property and cannot be used as idProperty`);
    const key = idProperty === "email" ? normalizeEmail(id) : id;
    if (seen.has(key)) twice.add(key);
    seen.add(key);
  }
  if (twice.size === 0) return undefined;
  const ids = [...twice];
  const message = `Duplicate IDs found in batch input: [${ids.join(", ")}]. IDs must be unique`;
  return { refused: 400, error: { message, category: "VALIDATION_ERROR", context: { ids } } };
}

function isUnique(portal: Portal, idProperty: string): boolean {
  return idProperty === RECORD_ID || activeProperty(portal, idProperty)?.hasUniqueValue === true;
}

/** Each input needs a trace id of its own; one that is missing or repeated makes all of them void. */
export function haveOwnTraceIds(inputs: Input[]): boolean {
  return new Set(inputs.map((input) => input.traceId).filter(Boolean)).size === inputs.length;
}
