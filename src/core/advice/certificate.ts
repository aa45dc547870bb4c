import { count, shortTime } from "../../shared/text.ts";

const DAY_MS = 24 * 3_600_000;
/** Whoever renews by hand has three weeks for it. */
export const CERTIFICATE_WARN_AHEAD_MS = 21 * DAY_MS;

const RENEW = "Renew it: serve takes what then stands at serve.tls_cert by itself";

/** What must be done before it ends, or that it has; null while there is time. */
export function certificateTrouble(
  { names, endsAt }: { names: string; endsAt: number },
  now: number,
): { kind: "ends" | "ended"; words: string } | null {
  const leftMs = endsAt - now;
  if (leftMs > CERTIFICATE_WARN_AHEAD_MS) return null;
  const which = `the TLS certificate for ${names}`;
  if (leftMs <= 0)
    return {
      kind: "ended",
      words: `${which} ended at ${shortTime(endsAt)}: senders refuse it. ${RENEW}`,
    };
  const days = count(Math.ceil(leftMs / DAY_MS), "day");
  return { kind: "ends", words: `${which} ends in ${days} (${shortTime(endsAt)}). ${RENEW}` };
}
