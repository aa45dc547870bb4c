/** What was sent to us and not taken, for 30 days; and what changed while nobody was subscribed. */
import * as v from "valibot";
import { isoTime } from "../../../shared/clock.ts";
import type { MissedEvent } from "../../contract/ats.ts";
import { callApi, type Caller } from "../calling/api.ts";
import { isGone, read } from "../calling/ask.ts";
import { askAll } from "../calling/lists.ts";
import { readArrays } from "./arrays.ts";
import { ENDPOINTS } from "./contract.ts";
import { toldBy } from "./signature.ts";

const DAY_MS = 24 * 3_600_000;
/** Further back the vendor keeps nothing; a little less, since its clock is not ours. */
const KEPT_MS = 30 * DAY_MS - 60_000;

const Logged = v.object({
  requestDetails: v.object({
    body: v.fallback(v.string(), ""),
    headers: v.fallback(v.record(v.string(), v.union([v.string(), v.array(v.string())])), {}),
  }),
});

/** The failed calls of that subscription; one that is gone has none. Throws `VENDOR_*`. */
export async function* failedCallbacks(
  caller: Caller,
  { id, since }: { id: string; since: number },
): AsyncGenerator<MissedEvent> {
  const after = isoTime(Math.max(since, caller.clock.now() - KEPT_MS));
  const there = await callApi(caller, { endpoint: ENDPOINTS.subscription, params: { id } });
  if (isGone(there)) return;
  const entries = readArrays(caller, {
    endpoint: ENDPOINTS.callbacks,
    params: { id },
    query: { callbackStatus: "failed", after },
    schema: Logged,
    doing: "reading what was sent and not taken",
  });
  for await (const { requestDetails } of entries) {
    const { body, headers } = requestDetails;
    const flat = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
    );
    const eventId = flat["event-id"];
    // A greeting, or the vendor's own try, names no event.
    if (eventId === undefined) continue;
    yield { eventId, headers: toldBy(flat), body };
  }
}

const text = v.fallback(v.nullable(v.string()), null);
const Candidates = v.object({
  content: v.array(
    v.object({
      id: v.string(),
      updatedOn: text,
      primaryAssignment: v.fallback(v.nullable(v.object({ job: v.object({ id: v.string() }) })), null),
    }),
  ),
});

/** As events that nobody sent: each candidate's application that may have moved since. Throws `VENDOR_*`. */
export async function* changedSince(caller: Caller, since: number): AsyncGenerator<MissedEvent> {
  const changed = await askAll(caller, {
    endpoint: ENDPOINTS.candidates,
    query: { updatedAfter: isoTime(since), limit: "100" },
    schema: Candidates,
    doing: "listing candidates that changed",
  });
  for (const { id, updatedOn, primaryAssignment } of changed) {
    if (primaryAssignment === null) continue;
    const { id: jobId } = primaryAssignment.job;
    const application = await applicationOf(caller, id, jobId);
    if (application === null) continue;
    yield {
      eventId: `gap/${application}/${updatedOn ?? since}`,
      headers: { name: "application.status.updated", timestamp: "", link: "" },
      body: JSON.stringify({ job_id: jobId, candidate_id: id, application_id: application }),
    };
  }
}

/** Its id; null where there is none. */
async function applicationOf(caller: Caller, candidate: string, job: string): Promise<string | null> {
  const doing = "reading an application";
  const answer = await callApi(caller, { endpoint: ENDPOINTS.application, params: { candidate, job } });
  if (isGone(answer)) return null;
  return read(caller, answer, { schema: v.object({ applicationId: v.string() }), doing }).applicationId;
}
