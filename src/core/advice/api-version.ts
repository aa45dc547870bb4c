/** The vendor's API version that is spoken, and what to do before its support ends. Pure. */
import { count, possessive } from "../../shared/text.ts";

export interface ApiVersion {
  name: string;
  /** First day on which support may have ended, as `2027-09-01`. */
  supportedUntil: string;
}

const DAY_MS = 24 * 3_600_000;
const WARN_AHEAD_DAYS = 90;

/** "v3, supported until 2027-09-01" */
export function versionWords({ name, supportedUntil }: ApiVersion): string {
  return `${name}, supported until ${supportedUntil}`;
}

/** Null while there is time. `known`: the versions that this program speaks. */
export function versionTrouble(
  used: ApiVersion,
  { vendor, label, known, now }: { vendor: string; label: string; known: readonly ApiVersion[]; now: number },
): string | null {
  const daysLeft = Math.ceil((Date.parse(used.supportedUntil) - now) / DAY_MS);
  if (daysLeft > WARN_AHEAD_DAYS) return null;
  const end =
    daysLeft > 0
      ? `is supported until ${used.supportedUntil}, for ${count(daysLeft, "more day")}`
      : `has not been supported since ${used.supportedUntil}`;
  const [newest = used] = known.toSorted((one, other) =>
    other.supportedUntil.localeCompare(one.supportedUntil),
  );
  const fix =
    newest.supportedUntil > used.supportedUntil
      ? `Set ${vendor}.api_version = "${newest.name}" (until ${newest.supportedUntil}) in the configuration, then restart serve`
      : "A newer version of jc-integrations speaks a newer one";
  return `${possessive(label)} API ${used.name} ${end}. ${fix}`;
}
