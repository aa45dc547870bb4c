/** Where an org's data shall rest, where this log rests, and where a vendor's account does. Pure. */
import type { Config } from "../shared/config.ts";

export type Region = "eu" | "us";

export interface Regions {
  /** Where the org's data shall stay; null where nobody said. */
  org: Region | null;
  /** Where this log is. */
  store: Region;
  /** `eu`, `us`, or the vendor's own name of what is neither; null where nobody knows. */
  account: string | null;
}

export interface Residency extends Regions {
  /** The account's place as the vendor tells it, or the operator declares it: `eu1`. */
  told: string | null;
  differences: readonly RegionDifference[];
  /** An operator said for this very account and these regions that it is meant. */
  isAllowed: boolean;
}

/** What is not where, beside what it is compared with. */
export type RegionDifference =
  | { what: "store" | "account"; wanted: Region; by: "org" }
  /** Nobody said where the org's data shall stay: then results leave the region of the log. */
  | { what: "account"; wanted: Region; by: "store" };

export interface ResidencyOf {
  config: Pick<Config, "store.region" | "orgs">;
  org: string;
  told: string | null;
  /** As the connection keeps it. */
  allowed: Regions | null;
}

export function residencyOf({ config, org, told, allowed }: ResidencyOf): Residency {
  const regions: Regions = {
    org: config.orgs[org]?.residency ?? null,
    store: config["store.region"],
    account: regionOf(told),
  };
  return { ...regions, told, differences: differencesIn(regions), isAllowed: isSame(regions, allowed) };
}

/** Is it to be refused, or told as what nobody allowed? */
export function isCrossing({ differences, isAllowed }: Residency): boolean {
  return differences.length > 0 && !isAllowed;
}

/** HubSpot's `eu1` is in the EU, its `na1` in the United States; what else it names (`ap1`) is neither. */
function regionOf(told: string | null): string | null {
  const name = told?.trim().toLowerCase() ?? "";
  if (name === "") return null;
  if (/^eu\d*$/.test(name)) return "eu";
  return /^(na|us)\d*$/.test(name) ? "us" : name;
}

function differencesIn({ org, store, account }: Regions): RegionDifference[] {
  const found: RegionDifference[] = [];
  if (org !== null && store !== org) found.push({ what: "store", wanted: org, by: "org" });
  if (account !== null && account !== (org ?? store))
    found.push(
      org === null
        ? { what: "account", wanted: store, by: "store" }
        : { what: "account", wanted: org, by: "org" },
    );
  return found;
}

function isSame(now: Regions, allowed: Regions | null): boolean {
  return (
    allowed !== null &&
    now.org === allowed.org &&
    now.store === allowed.store &&
    now.account === allowed.account
  );
}
