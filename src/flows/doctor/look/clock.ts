/** Our clock against those of the vendors: by the `Date` of whatever they answer. */
import type { Clock } from "../../../shared/clock.ts";
import type { Http } from "../../../shared/http.ts";

/** By how much ours is ahead of theirs, ms; null where they do not tell. */
export async function lookAtClock(
  { http, clock }: { http(): Promise<Http>; clock: Pick<Clock, "now"> },
  { address, signal }: { address: string; signal: AbortSignal },
): Promise<number | null> {
  const { origin } = new URL(address);
  const before = clock.now();
  const answer = await (await http()).request({ method: "GET", url: `${origin}/`, signal });
  const theirs = Date.parse(answer.headers.date ?? "");
  // They tell whole seconds, and did so somewhere between our asking and hearing.
  return Number.isNaN(theirs) ? null : Math.round((before + clock.now()) / 2 - (theirs + 500));
}
