/** Writes contacts: one call, known by e-mail, created where they are new. */
import type { SendResult, Update } from "../contract/destination.ts";
import { unanswered } from "../calling/unanswered.ts";
import { type Caller, callApi } from "./api.ts";
import { readAnswers } from "./upsert-answer.ts";

/** https://developers.hubspot.com/docs/api-reference/latest/crm/objects/contacts/guide */
export const MOST_CONTACTS_PER_CALL = 100;

/** Throws what no answer can say: what `token()` throws apart from outages, and the signal's reason. */
export async function upsertContacts(caller: Caller, updates: readonly Update[]): Promise<SendResult> {
  const startedAt = caller.clock.now();
  try {
    const answer = await callApi(caller, {
      method: "POST",
      path: caller.paths.upsertContacts,
      json: { inputs: updates.map(inputOf) },
    });
    const { status: httpStatus, correlationId, durationMs } = answer;
    return {
      answers: readAnswers(updates, answer, caller.clock.now(), caller.access.timeZone),
      httpStatus,
      correlationId,
      durationMs,
    };
  } catch (error) {
    return unanswered(updates, error, caller.clock.now() - startedAt);
  }
}

/**
 * A trace id of its own for each input keeps one bad record from sinking the others. The address stays out of the
 * properties, so that a contact found by a secondary address keeps its primary one.
 */
function inputOf({ subject, traceId, projection }: Update) {
  return { id: subject, idProperty: "email", properties: projection, objectWriteTraceId: traceId };
}
