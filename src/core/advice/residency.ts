import type { Config } from "../../shared/config.ts";
import { AppError } from "../../shared/errors.ts";
import { plain } from "../../shared/text.ts";
import type { ConnectionName } from "../connection.ts";
import { isCrossing, type Region, type Residency, type ResidencyOf, residencyOf } from "../residency.ts";
import { crossRegionCommand } from "./command-lines.ts";

interface Whose {
  name: ConnectionName;
  /** The vendor as people write it. */
  label: string;
  residency: Residency;
}

/** What a consent is refused by unless the operator allowed it. */
export function crossRegion(whose: Whose, option?: "--via-service" | "--confirm"): AppError {
  return new AppError("CONFIG_INVALID", differenceWords(whose), {
    hint: `Nothing was changed. ${cureWords(whose, option)}`,
  });
}

/** What stands in `status`, `doctor` and on the page; null where all is where it shall be, or was allowed. */
export function residencyTrouble(whose: Whose): { message: string; hint: string } | null {
  if (!isCrossing(whose.residency)) return null;
  return { message: differenceWords(whose), hint: cureWords(whose) };
}

/** One line about an account that is where it shall be, or whose place nobody knows, or was allowed to differ. */
export function residencyWords({ name, label, residency }: Whose): string {
  const { org, store, account, told, differences } = residency;
  const wanted = org === null ? "" : `, and shall be in ${org}`;
  const place = account === null ? "where its data rest is not known" : `its data rest in ${told}`;
  const allowed = differences.length > 0 ? "; --allow-cross-region was given" : "";
  return `${label}: ${plain(place)}; this log of ${name.org}'s is in ${store}${wanted}${allowed}`;
}

/** What a configuration alone tells: orgs whose data shall not be where this log is. */
export function regionWarnings(config: ResidencyOf["config"], orgs: readonly string[]): string[] {
  return orgs.flatMap((org) => {
    const { org: wanted, store, differences } = residencyOf({ config, org, told: null, allowed: null });
    if (differences.length === 0 || wanted === null) return [];
    return [`orgs.${org}.residency = "${wanted}", and this log is in ${store} (store.region)`];
  });
}

/** Every org that the configuration names. */
export function orgsIn(config: Pick<Config, "orgs" | "org">): string[] {
  return [...new Set([config.org, ...Object.keys(config.orgs)])];
}

function differenceWords({ name, label, residency }: Whose): string {
  const { store, account, told } = residency;
  const inAccount = `${label} keeps the account's data in ${plain(told === account ? `${told}` : `${account} (${told})`)}`;
  const inStore = `this log is in ${store} (store.region)`;
  const shall = (wanted: Region) => `the data of ${name.org} shall stay in ${wanted}`;
  const words = residency.differences.map(({ what, wanted, by }) => {
    if (by === "store") return `${inStore}, and ${inAccount}`;
    return `${shall(wanted)}, and ${what === "store" ? inStore : inAccount}`;
  });
  return words.join("; ");
}

function cureWords({ name, residency }: Whose, option?: "--via-service" | "--confirm"): string {
  const { org, differences } = residency;
  const wanted = org === null ? "store.region" : `store.region and [orgs.${name.org}] residency`;
  const isAccounts = differences.some(({ what }) => what === "account");
  const other = isAccounts ? "Choose another account, or correct" : "Correct";
  return `${other} ${wanted}. If it is meant: ${crossRegionCommand(name, option)}`;
}
