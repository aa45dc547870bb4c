/** A batch that the vendor refused whole, in words: in which parts it goes again. */
import type { Answer } from "./answer.ts";
import { halvesOf } from "./bisect.ts";
import type { ClaimedPush } from "./events.ts";
import type { Batch } from "./state.ts";

export interface Answered {
  push: ClaimedPush;
  answer: Answer;
}

/** Where the vendor names culprits the others go together; else it is found by halves. */
export function partsOf(all: readonly Answered[]): ClaimedPush[][] {
  if (all.length === 1) return [];
  const pushesWith = (isSuspect: boolean) =>
    all
      .filter(({ answer }) => answer.kind === "split" && answer.suspect === isSuspect)
      .map(({ push }) => push);
  const [suspects, others] = [pushesWith(true), pushesWith(false)];
  const parts = suspects.length === all.length ? halvesOf(suspects) : [others, suspects];
  return parts.filter((part) => part.length > 0);
}

/** A clash with what somebody wrote at that moment is over by now; a record that was refused before clashes with what stays. */
export function repeatsOf({ wasRefused }: Batch, all: readonly Answered[]): ClaimedPush[][] {
  if (wasRefused) return [];
  const clashed = all.filter(({ answer }) => answer.kind === "rejected" && answer.mayPass);
  return clashed.length > 0 ? [clashed.map(({ push }) => push)] : [];
}
