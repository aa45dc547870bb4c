import type { MappingWarning, Projection } from "../../core/push.ts";
import type { Claim, NewAttempt, Settlement, SettleOutcome } from "../../store/contract/store.ts";
import type { Answer, SendResult, Update } from "../../vendors/contract/destination.ts";

/** A claimed push with what it shall tell: packed before the call, settled by the answer. */
export interface Parcel {
  claim: Claim;
  projection: Projection;
  warnings: MappingWarning[];
}

export function isEmpty({ projection }: Parcel): boolean {
  return Object.keys(projection).length === 0;
}

export function updateOf({ claim, projection }: Parcel): Update {
  return { subject: claim.subject, traceId: `${claim.pushId}-${claim.version}`, projection };
}

/** How one answer ends one claim, with the attempt that is kept of it. `retry` says when to come back. */
export function settlementOf(
  parcel: Parcel,
  answer: Answer,
  {
    result,
    now,
    retry,
  }: { result: SendResult; now: number; retry: { dueAt: number; counted: boolean; alone: boolean } },
): Settlement {
  const { claim, projection, warnings } = parcel;
  const { httpStatus, correlationId, durationMs } = result;
  const settle = (
    outcome: SettleOutcome,
    attempt: Partial<NewAttempt> & Pick<NewAttempt, "outcome">,
  ): Settlement => ({
    claim,
    warnings,
    now,
    outcome,
    attempt: { httpStatus, correlationId, durationMs, reason: null, ...attempt },
  });
  switch (answer.kind) {
    case "accepted":
      return settle({ kind: "delivered", projection }, { outcome: "delivered" });
    case "rejected":
    case "split": {
      const { rejection } = answer;
      const reason = rejection.field ? `${rejection.field}: ${rejection.message}` : rejection.message;
      return settle(
        { kind: "rejected", projection, rejection },
        { ...pick(rejection), outcome: "rejected", reason },
      );
    }
    case "held":
      return settle({ kind: "held", cause: answer.cause }, { outcome: "held", reason: answer.detail });
    case "retry":
      return settle(
        { kind: "pending", ...retry },
        { ...pick(answer), outcome: "retry", reason: answer.reason },
      );
  }
}

function pick({ httpStatus, correlationId }: Pick<NewAttempt, "httpStatus" | "correlationId">) {
  return { httpStatus, correlationId };
}
