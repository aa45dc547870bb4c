import * as v from "valibot";
import { AppError } from "../../shared/errors.ts";
import { type Caller, callApi } from "./api.ts";
import { failure, verdictOf } from "./verdict.ts";

/** Reads what the caller cannot do without. Throws `VENDOR_*`; `doing` goes into the message, as "listing properties". */
export async function fetchJson<Output>(
  caller: Caller,
  { path, schema, doing }: { path: string; schema: v.GenericSchema<unknown, Output>; doing: string },
): Promise<Output> {
  const answer = await callApi(caller, { method: "GET", path });
  const verdict = verdictOf(answer, caller.clock.now());
  if (verdict.kind !== "done") throw failure(caller, { verdict, answer, doing });
  const parsed = v.safeParse(schema, answer.body);
  if (parsed.success) return parsed.output;
  throw new AppError("VENDOR_UNEXPECTED", `HubSpot's answer to ${doing} is out of shape`);
}
