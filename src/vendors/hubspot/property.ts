/** One property by its name: what no list shows, and what refused a value. */
import * as v from "valibot";
import { AppError } from "../../shared/errors.ts";
import type { FieldLook } from "../contract/destination.ts";
import { type Caller, callApi } from "./api.ts";
import { type Property, PropertySchema, unfitness } from "./drift.ts";
import { DEFINITIONS } from "./properties.ts";
import { failure, verdictOf } from "./verdict.ts";

/** Null where the portal has none of that name, or shows it to nobody. Throws `VENDOR_*`. */
export async function readProperty(caller: Caller, name: string): Promise<Property | null> {
  const path = `${caller.paths.properties}/${encodeURIComponent(name)}`;
  const answer = await callApi(caller, { method: "GET", path });
  if (answer.status === 404 && answer.problem) return null;
  const doing = `reading the property ${name}`;
  const verdict = verdictOf(answer, caller.clock.now());
  if (verdict.kind !== "done") throw failure(caller, { verdict, answer, doing });
  const parsed = v.safeParse(PropertySchema, answer.body);
  if (parsed.success) return parsed.output;
  throw new AppError("VENDOR_UNEXPECTED", `HubSpot's answer to ${doing} is out of shape`);
}

/** Throws `VENDOR_*`. */
export async function lookAtProperty(caller: Caller, name: string): Promise<FieldLook> {
  const property = await readProperty(caller, name);
  if (!property) return { isThere: false };
  const definition = DEFINITIONS.find((each) => each.name === name);
  return { isThere: true, unfit: definition ? unfitness(definition, property) : null };
}
