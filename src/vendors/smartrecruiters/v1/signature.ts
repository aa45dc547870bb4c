/** Whether a webhook is SmartRecruiters' own, and what may be wrong when it is not. */
import { timingSafeEqual } from "node:crypto";
import type { SourceSecret } from "../../../core/source-secret.ts";
import { AppError } from "../../../shared/errors.ts";
import type { WebhookSignature, Headers, Pieces } from "../../contract/source.ts";
import { signatureHint } from "../guide.ts";
import { V1 } from "./profile.ts";
import { rewritten } from "./rewritten.ts";

/** Throws `SIGNATURE_INVALID` where no header holds a signature. Whose secret made it tells the org. */
export function claimOf(headers: Headers): WebhookSignature & { eventId: null } {
  const { signature: kind } = V1;
  const value = headers[kind.header.toLowerCase()];
  if (!value) throw invalid(`${kind.header} is missing`, "header");
  const refusal = () => invalid(`${kind.header} fits none of our secrets`, "secret");
  const given = kind.read(value);
  if (given === null) throw refusal();
  const isBy = ({ secret }: SourceSecret, body: Pieces) => {
    const expected = kind.of(secret, body);
    return expected !== null && timingSafeEqual(expected, given);
  };
  return {
    eventId: null,
    isBy,
    refusal,
    explain: (secrets, body) => (isOfOtherBytes(isBy, secrets, body) ? changedOnItsWay() : null),
  };
}

export function isSigned(headers: Headers): boolean {
  return headers[V1.signature.header.toLowerCase()] !== undefined;
}

/** What may be hashed for one explanation: some 2 ms of work. */
const MOST_HASHED_BYTES = 2 * 1024 * 1024;

function isOfOtherBytes(
  isBy: WebhookSignature["isBy"],
  secrets: readonly SourceSecret[],
  body: Pieces,
): boolean {
  let hashed = 0;
  for (const other of rewritten(body)) {
    for (const secret of secrets) {
      hashed += other.length;
      if (hashed > MOST_HASHED_BYTES) return false;
      if (isBy(secret, [other])) return true;
    }
  }
  return false;
}

function changedOnItsWay(): AppError {
  return invalid("the body was changed on its way: the signature fits other bytes of the same JSON", "body");
}

function invalid(reason: string, fault: Parameters<typeof signatureHint>[0]): AppError {
  return new AppError("SIGNATURE_INVALID", reason, { hint: signatureHint(fault) });
}
