import { connectCommand } from "../../core/advice/command-lines.ts";
import type { Connection } from "../../core/connection.ts";
import { DEFAULT_VENDOR } from "../../core/default-vendor.ts";
import { AppError } from "../../shared/errors.ts";
import type { Selection, Store } from "../../store/contract/store.ts";

/** What a `replay` or `backfill` is about, of one connection: counted at first, and read page by page. */
export interface RerunPlan {
  connection: Connection;
  /** How many there are, how many of them stay where they are, and how many wait already, as an earlier run left them that was cut off, or events raised them. */
  counts: SelectedNumbers;
  selection: Selection;
}

export interface SelectedNumbers {
  matched: number;
  skipped: number;
  waiting: number;
  /** Of those that stay, how many are held since their record is gone from the account; absent where that is no question. */
  gone?: number;
}

export function totalOf(plans: readonly RerunPlan[]): Omit<SelectedNumbers, "gone"> {
  const sum = (of: "matched" | "skipped" | "waiting") =>
    plans.reduce((total, { counts }) => total + counts[of], 0);
  return { matched: sum("matched"), skipped: sum("skipped"), waiting: sum("waiting") };
}

/** How many of each would go out: what a limit leaves over goes to the next one. */
export function outgoingOf(plans: readonly RerunPlan[], limit = Number.POSITIVE_INFINITY): number[] {
  let left = limit;
  return plans.map(({ counts: { matched, skipped } }) => {
    const n = Math.min(matched - skipped, left);
    left -= n;
    return n;
  });
}

/** The connections a command means: the org's production accounts, or the one vendor's. Throws `RECONNECT_NEEDED` for none. */
export async function connectionsOf(
  store: Store,
  org: string,
  vendor: string | undefined,
): Promise<Connection[]> {
  const found = (await store.connections(org)).filter(
    (known) =>
      known.environment === "production" &&
      known.account !== null &&
      (vendor === undefined || known.vendor === vendor),
  );
  if (found.length > 0) return found;
  throw new AppError("RECONNECT_NEEDED", `${org} has no connection to deliver to`, {
    hint: connectCommand({ vendor: vendor ?? DEFAULT_VENDOR, org }),
  });
}
