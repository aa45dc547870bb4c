/**
 * When a `Retry-After` header allows the next try, in ms since the epoch: seconds or a date, by RFC 9110. Null where
 * it is absent, no time, or further off than `longestMs`, which is taken for a mistake.
 */
export function retryAfter(
  header: string | undefined,
  { now, longestMs }: { now: number; longestMs: number },
): number | null {
  if (header === undefined) return null;
  const at = /^\d+$/.test(header.trim()) ? now + Number(header) * 1_000 : Date.parse(header);
  return at > now && at <= now + longestMs ? at : null;
}
