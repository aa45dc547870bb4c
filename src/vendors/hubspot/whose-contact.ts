/**
 * Which contact each record of an upsert turned out to be. Several addresses can be one contact
 * (`hs_additional_emails`), and a merge in the portal gives it another id; what an answer does not tell is read, once.
 */
import * as v from "valibot";
import type { Answer } from "../../core/delivery/answer.ts";
import { emailKey } from "../../core/event.ts";
import type { SeenRecord } from "../../core/push.ts";
import { unanswered } from "../calling/unanswered.ts";
import type { SendResult, Update } from "../contract/destination.ts";
import { type Caller, callApi } from "./api.ts";
import { later, type Written } from "./upsert-answer.ts";
import { verdictOf } from "./verdict.ts";

/** What an upsert tells of the contact that it wrote to; `email` is the primary address. */
interface Met {
  id: string;
  email: string;
  isNew: boolean;
}

const Contact = v.object({
  properties: v.object({ email: v.nullish(v.string(), ""), hs_additional_emails: v.nullish(v.string(), "") }),
});

interface Seen {
  answer: Answer;
  record: SeenRecord | null;
}

/**
 * A record whose contact cannot be read now is told again later, although it was written: else the results of two
 * addresses could go on taking turns on one contact.
 */
export async function seeContacts(
  caller: Caller,
  { updates, written, answers }: { updates: readonly Update[]; written: Written; answers: readonly Answer[] },
): Promise<Pick<SendResult, "answers" | "records">> {
  const contacts = contactsIn(written, updates);
  const reads = new Map<string, Promise<Reading>>();
  const read = (id: string, update: Update): Promise<Reading> => {
    const reading = reads.get(id) ?? readAddresses(caller, id, update);
    reads.set(id, reading);
    return reading;
  };
  const told = [...answers];
  const records: (SeenRecord | null)[] = [];
  for (const [index, update] of updates.entries()) {
    const met = told[index]?.kind === "accepted" ? metBy(update, contacts) : null;
    if (met && !mustRead(update, met)) records.push(recordOf(update, met));
    else if (met === null) records.push(null);
    else {
      const seen = await see(update, met ? [met] : contacts.strangers, read);
      told[index] = seen.answer;
      records.push(seen.record);
    }
  }
  return { answers: told, records };
}

/** Reads the contact that it is, or one after the other those that it may be. */
async function see(
  update: Update,
  candidates: readonly Met[],
  read: (id: string, update: Update) => Promise<Reading>,
): Promise<Seen> {
  for (const candidate of candidates) {
    const reading = await read(candidate.id, update);
    const isOther = reading.kind === "addresses" && !reading.addresses.includes(update.subject);
    if (!isOther || candidates.length === 1) return seenBy(update, candidate, reading);
  }
  return { answer: { kind: "accepted" }, record: null };
}

/** Undefined where none of them is certain. */
function metBy({ subject, traceId, known }: Update, { told, strangers }: Contacts): Met | undefined {
  return told.get(traceId) ?? told.get(subject) ?? strangers.find(({ id }) => id === known?.id);
}

interface Contacts {
  /** By trace id, and by address where there is none. */
  told: ReadonlyMap<string, Met>;
  /** Without a trace id, and under an address that is nobody's of the call: only the contact's own list tells whose. */
  strangers: readonly Met[];
}

function contactsIn({ results }: Written, updates: readonly Update[]): Contacts {
  const subjects = new Set(updates.map(({ subject }) => subject));
  const told = new Map<string, Met>();
  const strangers: Met[] = [];
  for (const { id, objectWriteTraceId: traceId, new: isNew, properties } of results) {
    if (id === "") continue;
    const met = { id, email: emailKey(properties.email), isNew };
    if (traceId === "" && !subjects.has(met.email)) strangers.push(met);
    else told.set(traceId || met.email, met);
  }
  return { told, strangers };
}

/** It is another contact than before, or met by an address that is not its primary one and nobody knew of. */
function mustRead({ subject, known }: Update, { id, email, isNew }: Met): boolean {
  if (isNew) return false;
  const isAnother = known !== undefined && known.id !== id;
  const isSecondary = email !== "" && email !== subject;
  return isAnother || (isSecondary && known?.isShared !== true);
}

/** One just created has no address but the one it was created with. */
function recordOf({ subject, known }: Update, { id, isNew }: Met): SeenRecord {
  if (!isNew) return { id };
  return known === undefined ? { id, isNew } : { id, isNew, subjects: [subject] };
}

type Reading =
  | { kind: "addresses"; addresses: readonly string[] }
  /** It may not be read, or not as we know it: the answer itself has to do. */
  | { kind: "refused" }
  | { kind: "gone" }
  | { kind: "later"; answer: Answer };

function seenBy({ subject }: Update, { id, email }: Met, reading: Reading): Seen {
  const accepted: Answer = { kind: "accepted" };
  switch (reading.kind) {
    case "addresses":
      return { answer: accepted, record: { id, subjects: reading.addresses } };
    case "refused":
      return { answer: accepted, record: { id, subjects: [subject, email].filter(Boolean) } };
    case "gone":
      return { answer: accepted, record: null };
    case "later":
      return { answer: reading.answer, record: null };
  }
}

async function readAddresses(caller: Caller, id: string, update: Update): Promise<Reading> {
  try {
    const path = `${caller.paths.contacts}/${encodeURIComponent(id)}?properties=email,hs_additional_emails`;
    const answer = await callApi(caller, { method: "GET", path });
    if (answer.status === 404 && answer.problem) return { kind: "gone" };
    const verdict = verdictOf(answer, caller.clock.now(), caller.access.timeZone);
    if (verdict.kind === "later") {
      const { notBefore } = verdict;
      const reason = `${verdict.reason} to reading whose contact ${id} is`;
      return { kind: "later", answer: later(answer, { reason, notBefore }) };
    }
    const parsed = v.safeParse(Contact, answer.body);
    if (verdict.kind !== "done" || !parsed.success) return { kind: "refused" };
    const { email, hs_additional_emails: additional } = parsed.output.properties;
    const addresses = [email, ...additional.split(";")].map(emailKey).filter(Boolean);
    return { kind: "addresses", addresses };
  } catch (error) {
    const [answer] = unanswered([update], error, 0).answers;
    if (!answer) throw error;
    return { kind: "later", answer };
  }
}
