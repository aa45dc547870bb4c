import { crossRegion } from "../../core/advice/residency.ts";
import type { Account, ConnectionName } from "../../core/connection.ts";
import { isCrossing, type Regions, residencyOf, type ResidencyOf } from "../../core/residency.ts";
import type { AppError } from "../../shared/errors.ts";
import type { Store } from "../../store/contract/store.ts";
import type { Destination } from "../../vendors/contract/destination.ts";

/** Keeps an org's results from an account whose data rest in another region, unless an operator allows it. */
export interface CrossingContext {
  store: Pick<Store, "connection">;
  config: ResidencyOf["config"];
  destination: Pick<Destination, "vendor" | "label" | "declaredRegion">;
}

type CrossingOption = Parameters<typeof crossRegion>[1];

interface CrossingRequest extends Omit<ConnectionName, "vendor"> {
  allowsCrossRegion: boolean;
}

/** Before anybody is asked for consent: what is known without it. Throws `CONFIG_INVALID`. */
export async function refuseCrossing(
  { store, config, destination }: CrossingContext,
  { org, environment, allowsCrossRegion }: CrossingRequest,
  option?: CrossingOption,
): Promise<void> {
  const { vendor, label, declaredRegion = null } = destination;
  const name = { org, vendor, environment };
  const before = await store.connection(name);
  const allowed = before?.crossRegion ?? null;
  // Which account will answer shows later; what was allowed for the one before is not asked for twice.
  const told = declaredRegion ?? (allowed && before?.account ? before.account.region : null);
  const residency = residencyOf({ config, org, told, allowed });
  if (isCrossing(residency) && !allowsCrossRegion) throw crossRegion({ name, label, residency }, option);
}

export interface Crossing {
  /** The account's regions where they differ and may; else null. */
  crossRegion: Regions | null;
  /** Why they may not. */
  refusal: AppError | null;
}

export async function crossingOf(
  { store, config, destination }: CrossingContext,
  { org, environment, allowsCrossRegion }: CrossingRequest,
  account: Account,
  option?: CrossingOption,
): Promise<Crossing> {
  const { vendor, label } = destination;
  const name = { org, vendor, environment };
  const before = await store.connection(name);
  const allowed = before?.account?.id === account.id ? (before.crossRegion ?? null) : null;
  const residency = residencyOf({ config, org, told: account.region, allowed });
  if (residency.differences.length === 0) return { crossRegion: null, refusal: null };
  if (isCrossing(residency) && !allowsCrossRegion)
    return { crossRegion: null, refusal: crossRegion({ name, label, residency }, option) };
  const regions = { org: residency.org, store: residency.store, account: residency.account };
  return { crossRegion: regions, refusal: null };
}
