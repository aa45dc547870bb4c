/**
 * Brings one result to a candidate's application: values of the company's properties, then a note. The values can be
 * written again at any time; the note comes last, so that nothing that fails behind it has it written twice.
 */
import type { Answer } from "../../../core/delivery/answer.ts";
import type { MappingWarning, Projection, Rejection } from "../../../core/push.ts";
import { unanswered } from "../../calling/unanswered.ts";
import type { SendResult, Update } from "../../contract/destination.ts";
import { laterOf, rejectionOf } from "../calling/answer.ts";
import { type ApiAnswer, callApi, type Caller, isSegment } from "../calling/api.ts";
import type { Problem } from "../calling/problem.ts";
import { verdictOf } from "../calling/verdict.ts";
import { ENDPOINTS } from "./contract.ts";
import { noteFor } from "./note.ts";
import { propertyOf, valueFor } from "./properties.ts";
import { receiptAfter } from "./receipt.ts";
import { type Application, findWhose, type Whose } from "./whose.ts";

/** Throws what no answer can say: what `token()` throws apart from outages, and the signal's reason. */
export async function sendResult(caller: Caller, updates: readonly Update[]): Promise<SendResult> {
  const [update, ...others] = updates;
  if (!update || others.length > 0) throw new Error("a call carries one result");
  const startedAt = caller.clock.now();
  const durationMs = () => caller.clock.now() - startedAt;
  try {
    const { answer, last, receipt = null, leftOut = [] } = await send(caller, update);
    const { status: httpStatus = null, correlationId = null } = last ?? {};
    return {
      ...{ answers: [answer], receipts: [receipt], leftOut: [leftOut] },
      ...{ httpStatus, correlationId, durationMs: durationMs() },
    };
  } catch (error) {
    return unanswered(updates, error, durationMs());
  }
}

interface Sent {
  answer: Answer;
  /** The last call's; null where none was made. */
  last: ApiAnswer | null;
  receipt?: string | null;
  leftOut?: MappingWarning[];
}

async function send(caller: Caller, update: Update): Promise<Sent> {
  const { projection } = update;
  const found = await findWhose(caller, projection);
  if ("refused" in found) return { answer: answerTo(caller, found.refused), last: found.refused };
  const { whose, answer: last } = found;
  if (whose.kind !== "one") return { answer: unclear(whose), last };
  const { application } = whose;
  const named = Object.values(application).find((id) => !isSegment(id));
  if (named !== undefined)
    return { answer: rejected(`${JSON.stringify(named)} names nothing in SmartRecruiters`), last };

  const written = await writeValues(caller, application, valuesIn(projection));
  if ("answer" in written) return written;
  const leftOut = written.refused.map(({ key, problem }) => ({ field: key, reason: wordsOf(problem) }));
  const note = noteFor(update, application, caller.clock.now());
  const receipt = receiptAfter(update.receipt, application, note?.kept ?? null);
  if (!note)
    return { answer: withoutNote(written, projection), last: written.last ?? last, receipt, leftOut };
  const shared = await callApi(caller, { endpoint: ENDPOINTS.share, json: note.share });
  const isDone = verdictOf(shared, caller).kind === "done";
  return isDone
    ? { answer: { kind: "accepted" }, last: shared, receipt, leftOut }
    : { answer: answerTo(caller, shared), last: shared };
}

/** Several fit, or none: both are for a person. */
function unclear(whose: Exclude<Whose, { kind: "one" }>): Answer {
  if (whose.kind === "none") return rejected(whose.reason);
  const ids = whose.candidates.map(({ candidateId }) => candidateId).join(", ");
  return {
    kind: "held",
    cause: "candidate",
    detail: `several candidates of SmartRecruiters have this address: ${ids}`,
  };
}

interface Value {
  key: string;
  /** Without a value it is cleared. */
  body: { id: string; value?: string | number };
}

function valuesIn(projection: Projection): Value[] {
  return Object.entries(projection).flatMap(([name, value]) => {
    const property = propertyOf(name);
    return property ? [{ key: property.key, body: valueFor(property, value) }] : [];
  });
}

interface Written {
  refused: { key: string; problem: Problem; of: ApiAnswer }[];
  taken: number;
  last: ApiAnswer | null;
}

/**
 * One property that the company does not have, or that refuses its value, has the whole call refused, and the error names
 * none: the values go on by halves, until each of those stands alone.
 */
export async function writeValues(
  caller: Caller,
  { candidate, job }: Application,
  values: readonly Value[],
): Promise<Written | Sent> {
  const written: Written = { refused: [], taken: 0, last: null };
  const waiting: (readonly Value[])[] = values.length > 0 ? [values] : [];
  for (let part = waiting.shift(); part; part = waiting.shift()) {
    const answer = await callApi(caller, {
      endpoint: ENDPOINTS.setValues,
      params: { candidate, job },
      json: part.map(({ body }) => body),
    });
    const verdict = verdictOf(answer, caller);
    written.last = answer;
    if (verdict.kind === "done") written.taken += part.length;
    else if (verdict.kind !== "refused" || !isOfProperty(answer, verdict.problem))
      return { answer: answerTo(caller, answer), last: answer };
    else if (part.length > 1) waiting.unshift(...halvesOf(part));
    else for (const { key } of part) written.refused.push({ key, problem: verdict.problem, of: answer });
  }
  return written;
}

function halvesOf<Item>(list: readonly Item[]): Item[][] {
  const half = Math.ceil(list.length / 2);
  return [list.slice(0, half), list.slice(half)];
}

/** A candidate or a job that is gone is a 404, too. */
function isOfProperty({ status }: ApiAnswer, { code }: Problem): boolean {
  return status === 400 || status === 422 || (status === 404 && code === "PROPERTY_NOT_FOUND");
}

/** Where every value was refused and there is no other news, the vendor has said no. */
function withoutNote({ refused, taken }: Written, projection: Projection): Answer {
  const [first] = refused;
  if (!first || taken > 0 || projection.title !== undefined) return { kind: "accepted" };
  return { kind: "rejected", rejection: rejectionOf(first.of, first.problem, first.key) };
}

function wordsOf({ code, message }: Problem): string {
  return `SmartRecruiters refused it: ${message || code || "without a reason"}`;
}

/** For what was not done. */
function answerTo(caller: Caller, answer: ApiAnswer): Answer {
  const verdict = verdictOf(answer, caller);
  switch (verdict.kind) {
    case "done":
      throw new Error("what was done is no refusal");
    case "later":
      return laterOf(answer, verdict.reason, verdict.notBefore);
    case "scope":
      return { kind: "held", cause: "scope", detail: verdict.scope };
    case "refused":
      return { kind: "rejected", rejection: rejectionOf(answer, verdict.problem, null) };
  }
}

function rejected(message: string): Answer {
  const rejection: Rejection = { message, category: null, field: null, httpStatus: 0, correlationId: null };
  return { kind: "rejected", rejection };
}
