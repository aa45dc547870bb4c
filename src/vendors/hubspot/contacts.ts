/** Writes contacts: one call, known by e-mail, created where they are new. */
import type { Answer } from "../../core/delivery/answer.ts";
import type { SendResult, Update } from "../contract/destination.ts";
import { unanswered } from "../calling/unanswered.ts";
import { type Caller, callApi } from "./api.ts";
import { presentContacts } from "./present.ts";
import { madeIn, readAnswers, writtenIn } from "./upsert-answer.ts";
import { seeContacts } from "./whose-contact.ts";

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
    const written = writtenIn(answer);
    const answers = readAnswers(updates, { ...answer, written }, caller.clock.now(), caller.access.timeZone);
    return {
      ...(await seeContacts(caller, { updates, written, answers })),
      made: madeIn(updates, written),
      httpStatus,
      correlationId,
      durationMs,
    };
  } catch (error) {
    return unanswered(updates, error, caller.clock.now() - startedAt);
  }
}

const GONE: Answer = {
  kind: "held",
  cause: "gone",
  detail:
    "the contact was deleted in HubSpot, or its address was changed there, and hubspot.recreate is never",
};

/** Only those that are new to the portal, or still there: what was delivered once and is gone stays gone. Throws as `upsertContacts` does. */
export async function upsertPresent(caller: Caller, updates: readonly Update[]): Promise<SendResult> {
  const startedAt = caller.clock.now();
  const known = updates.filter(({ wasDelivered }) => wasDelivered).map(({ subject }) => subject);
  let present: readonly string[];
  try {
    present = known.length > 0 ? await presentContacts(caller, known) : [];
  } catch (error) {
    return unanswered(updates, error, caller.clock.now() - startedAt);
  }
  const isGone = ({ wasDelivered, subject }: Update) => wasDelivered === true && !present.includes(subject);
  const going = updates.filter((update) => !isGone(update));
  const none = {
    answers: [],
    httpStatus: null,
    correlationId: null,
    durationMs: caller.clock.now() - startedAt,
  };
  const result: SendResult = going.length > 0 ? await upsertContacts(caller, going) : none;
  const answers = updates.map((update) => {
    const answer = isGone(update) ? GONE : result.answers[going.indexOf(update)];
    if (!answer) throw new Error("an update was left without an answer");
    return answer;
  });
  const records = updates.map((update) => result.records?.[going.indexOf(update)] ?? null);
  return { ...result, answers, records };
}

/**
 * A trace id of its own for each input keeps one bad record from sinking the others. The address stays out of the
 * properties, so that a contact found by a secondary address keeps its primary one.
 */
function inputOf({ subject, traceId, projection }: Update) {
  return { id: subject, idProperty: "email", properties: projection, objectWriteTraceId: traceId };
}
