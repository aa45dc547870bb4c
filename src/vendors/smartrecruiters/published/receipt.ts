/** What is kept of a result that was written: where its values and its last note are, since no call tells. */
import * as v from "valibot";
import type { Application } from "./whose.ts";

const Place = v.object({ candidate: v.string(), job: v.string() });
const Receipt = v.object({
  /** `correlationId` of the last note; absent where there was none. */
  note: v.optional(v.string()),
  digest: v.optional(v.string()),
  at: v.optional(v.number()),
  /** Every application that was written to; none in what older versions kept. */
  places: v.optional(v.array(Place), []),
});
export type Receipt = v.InferOutput<typeof Receipt>;

export function receiptOf(kept: string | undefined): Receipt | null {
  if (kept === undefined) return null;
  const parsed = v.safeParse(Receipt, JSON.parse(kept));
  return parsed.success ? parsed.output : null;
}

/** With what was written now. Null where that is nothing new. */
export function receiptAfter(
  kept: string | undefined,
  { candidate, job }: Application,
  note: Required<Pick<Receipt, "note" | "digest" | "at">> | null,
): string | null {
  const before = receiptOf(kept) ?? { places: [] };
  const isKnown = before.places.some((each) => each.candidate === candidate && each.job === job);
  if (isKnown && note === null) return null;
  const places = isKnown ? before.places : [...before.places, { candidate, job }];
  return JSON.stringify({ ...before, ...note, places } satisfies Receipt);
}
