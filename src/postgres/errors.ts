import { DatabaseError } from "pg";
import { AppError, isAppError } from "../shared/errors.ts";
import { databaseRefusal } from "../core/advice/database.ts";

/** Undone by the database for another's sake: a deadlock, or a serialization failure. */
const REPEATABLE = new Set(["40001", "40P01"]);

export function isRepeatable(error: unknown): boolean {
  const cause = isAppError(error) ? error.cause : error;
  return cause instanceof DatabaseError && REPEATABLE.has(cause.code ?? "");
}

/** What the database or the way to it refuses, as `STORE_UNAVAILABLE` with a hint that speaks of `setting`; a bug stays one. */
export async function storeErrors<Result>(setting: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw asStoreError(setting, error);
  }
}

/** As `storeErrors` throws it. */
export function asStoreError(setting: string, error: unknown): unknown {
  // A value that no column holds: it was not even sent.
  if (isAppError(error) || !(error instanceof Error) || error instanceof RangeError) return error;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (error instanceof DatabaseError && isOurMistake(code)) return error;
  const { words, hint } = databaseRefusal(code, error.message, setting);
  return new AppError("STORE_UNAVAILABLE", words, { hint, cause: error });
}

/** Syntax, types, constraints: SQL that we wrote. What a role may not do is the operator's. */
function isOurMistake(code: string): boolean {
  return /^(22|23|42)/.test(code) && code !== "42501";
}
