/** The frame of every batch call: its list of inputs, and its answer with results and errors side by side. */
import { isRecord, json, type Reply } from "../http.ts";
import { isRefusal, type Refusal } from "./errors.ts";

/** A body without a list of inputs counts as an empty list: HubSpot answers such a call 2xx and does nothing. */
export function batchInputs(input: unknown): unknown[] {
  return isRecord(input) && Array.isArray(input.inputs) ? input.inputs : [];
}

/** Answers `full` when all went well, else `partial` with the refusals as errors. */
export function batchAnswer(batch: {
  at: string;
  outcomes: readonly (object | Refusal)[];
  full: number;
  partial: number;
}): Reply {
  const { at, outcomes, full, partial } = batch;
  const refusals = outcomes.filter(isRefusal);
  const results = outcomes.filter((outcome) => !isRefusal(outcome));
  const body = { status: "COMPLETE", results, startedAt: at, completedAt: at };
  if (refusals.length === 0) return json(full, body);
  const errors = refusals.map(({ error }) => ({
    status: "error",
    context: {},
    errors: [],
    links: {},
    ...error,
  }));
  return json(partial, { ...body, numErrors: errors.length, errors });
}
