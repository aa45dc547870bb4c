import * as v from "valibot";
import { type Caller, callApi } from "./api.ts";
import { failure, verdictOf } from "./verdict.ts";

const Limits = v.object({
  overallLimit: v.optional(v.number()),
  overallUsage: v.optional(v.number()),
  byObjectType: v.fallback(
    v.array(v.object({ objectTypeId: v.string(), limit: v.number(), usage: v.number() })),
    [],
  ),
});

/** HubSpot's id of the contact object. */
const CONTACT_TYPE_ID = "0-1";

/**
 * How many custom properties the portal takes yet (free portals are said to hold 10, we want 17); no bound where
 * HubSpot does not tell. Throws `VENDOR_UNAVAILABLE` and `VENDOR_RATE_LIMITED`.
 */
export async function roomForProperties(caller: Caller): Promise<number> {
  const answer = await callApi(caller, { method: "GET", path: caller.paths.propertyLimits });
  const verdict = verdictOf(answer, caller.clock.now());
  if (verdict.kind === "later")
    throw failure(caller, { verdict, answer, doing: "asking for the property quota" });
  const limits = v.safeParse(Limits, answer.body);
  if (verdict.kind !== "done" || !limits.success) return Number.POSITIVE_INFINITY;
  const { overallLimit, overallUsage, byObjectType } = limits.output;
  const contacts = byObjectType.find(({ objectTypeId }) => objectTypeId === CONTACT_TYPE_ID);
  const left = Math.min(roomIn(contacts?.limit, contacts?.usage), roomIn(overallLimit, overallUsage));
  return Math.max(0, left);
}

function roomIn(limit: number | undefined, usage: number | undefined): number {
  return limit === undefined || usage === undefined ? Number.POSITIVE_INFINITY : limit - usage;
}
