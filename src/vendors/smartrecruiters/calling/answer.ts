/** Refusals as the delivery takes them. */
import type { Rejection } from "../../../core/push.ts";
import type { RetryAnswer } from "../../../core/delivery/answer.ts";
import type { ApiAnswer } from "./api.ts";
import type { Problem } from "./problem.ts";

/** Too many calls, or what they are about is locked. */
const THROTTLES = [423, 429];

export function laterOf(
  { status: httpStatus, correlationId }: ApiAnswer,
  reason: string,
  notBefore: number | null,
): RetryAnswer {
  const isThrottle = THROTTLES.includes(httpStatus);
  return { kind: "retry", isThrottle, reason, httpStatus, notBefore, correlationId };
}

export function rejectionOf(
  { status: httpStatus, correlationId }: ApiAnswer,
  { message, code: category }: Problem,
  field: string | null,
): Rejection {
  return { message: message || (category ?? ""), category, field, httpStatus, correlationId };
}
