/** What a call that got no answer says about its updates. */
import { type AppError, ERROR_CODES, isAppError } from "../../shared/errors.ts";
import type { SendResult, Update } from "../contract/destination.ts";

/** Every update waits. Throws the error again where waiting is no cure. */
export function unanswered(updates: readonly Update[], error: unknown, durationMs: number): SendResult {
  if (!mayPass(error)) throw error;
  const none = { httpStatus: null, correlationId: null };
  const isThrottle = error.code === "VENDOR_RATE_LIMITED";
  const reason = error.message;
  return {
    answers: updates.map(() => ({ kind: "retry", isThrottle, reason, notBefore: null, ...none })),
    ...none,
    durationMs,
  };
}

/** An answer out of shape is no verdict on any record, and an outage ends. */
function mayPass(error: unknown): error is AppError {
  return (
    isAppError(error) && (ERROR_CODES[error.code].retry === "counted" || error.code === "VENDOR_UNEXPECTED")
  );
}
