/** One webhook call, judged as the intake does. */
import type { SourceSecret } from "../../src/core/source-secret.ts";
import type { Headers, Source, Verified } from "../../src/vendors/contract/source.ts";

export interface Delivery {
  headers: Headers;
  body: Buffer;
}

/** Throws `SIGNATURE_INVALID` unless one of the secrets signed it. */
export function verify(
  source: Source,
  { headers, body }: Delivery,
  { secrets, now }: { secrets: readonly SourceSecret[]; now: number },
): Verified {
  const claim = source.claim(headers, now);
  const signer = secrets.find((secret) => claim.isBy(secret, [body]));
  if (!signer) throw claim.explain?.(secrets, [body]) ?? claim.refusal();
  return { eventId: claim.eventId, org: signer.org, environment: signer.environment };
}
