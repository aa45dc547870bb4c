/** RFC 3339, zone included. Years before 1970 are nobody's invites. */
const RFC_3339 =
  /^(?:19[7-9]\d|[2-9]\d{3})-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3])(?::[0-5]\d){2}(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i;

/**
 * Milliseconds since the epoch of an RFC 3339 timestamp, finer digits cut; null for any other text and for days
 * that do not exist. `Date.parse` alone turns 30 February into 2 March and a missing zone into the machine's own.
 * https://www.rfc-editor.org/rfc/rfc3339#section-5.6
 */
export function parseTimestamp(text: string): number | null {
  return RFC_3339.test(text) && isRealDay(text) ? Date.parse(text.toUpperCase()) : null;
}

function isRealDay(text: string): boolean {
  const day = Number(text.slice(8, 10));
  if (day <= 28) return true;
  const lastOfMonth = new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0));
  return day <= lastOfMonth.getUTCDate();
}
