import * as v from "valibot";
import { AppError } from "../../../shared/errors.ts";
import { type ApiAnswer, type ApiCall, callApi, type Caller } from "./api.ts";
import { failure, verdictOf } from "./verdict.ts";

/** What the caller cannot do without; `doing` goes into errors, as "listing subscriptions". */
export interface Asked<Output> {
  schema: v.GenericSchema<unknown, Output>;
  doing: string;
}

/** Throws `VENDOR_*`. */
export async function ask<Output>(
  caller: Caller,
  { schema, doing, ...call }: ApiCall & Asked<Output>,
): Promise<Output> {
  return read(caller, await callApi(caller, call), { schema, doing });
}

/** Null when SmartRecruiters itself answers 404. Throws `VENDOR_*`. */
export async function askIfThere<Output>(
  caller: Caller,
  { schema, doing, ...call }: ApiCall & Asked<Output>,
): Promise<Output | null> {
  const answer = await callApi(caller, call);
  return isGone(answer) ? null : read(caller, answer, { schema, doing });
}

/** For a call whose answer says nothing but that it was done. Throws `VENDOR_*`. */
export async function tell(caller: Caller, { doing, ...call }: ApiCall & { doing: string }): Promise<void> {
  check(caller, await callApi(caller, call), doing);
}

/** False where the thing to remove was gone already. Throws `VENDOR_*`. */
export async function remove(
  caller: Caller,
  { doing, ...call }: ApiCall & { doing: string },
): Promise<boolean> {
  const answer = await callApi(caller, call);
  if (isGone(answer)) return false;
  check(caller, answer, doing);
  return true;
}

export function read<Output>(caller: Caller, answer: ApiAnswer, { schema, doing }: Asked<Output>): Output {
  check(caller, answer, doing);
  const parsed = v.safeParse(schema, answer.body);
  if (parsed.success) return parsed.output;
  throw new AppError("VENDOR_UNEXPECTED", `SmartRecruiters' answer to ${doing} is out of shape`);
}

export function check(caller: Caller, answer: ApiAnswer, doing: string): void {
  const verdict = verdictOf(answer, caller);
  if (verdict.kind !== "done") throw failure(caller, { verdict, answer, doing });
}

/** By SmartRecruiters' own word: a proxy's 404 says nothing about the thing. */
export function isGone({ status, problem }: ApiAnswer): boolean {
  return status === 404 && problem !== null;
}
