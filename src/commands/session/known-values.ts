import { CONNECT_METHODS } from "../../core/authorization.ts";
import { INVITE_STATUSES } from "../../core/event.ts";
import { ATTEMPT_OUTCOMES, PUSH_STATES } from "../../core/push.ts";
import { DECLARED_SECRETS } from "../../declared-secrets.ts";
import { VENDORS } from "../../vendors/index.ts";

/** Tests that are known here; the vendor may know others. */
export const TESTS: readonly string[] = ["disc", "big-five", "iq-test", "integrity", "mbti", "riasec", "eq"];

type Which = "destination" | "ats" | "source";

/** The vendors that a command takes, as its help names them. */
export function vendorNames(which: Which = "destination"): string {
  const names = vendors(which);
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

/**
 * All that may stand where a command line's declaration says `<vendor>`, `<job>` and so on; null where that is no matter
 * of a list. What people are asked to choose from, and what a shell completes.
 */
export async function knownValues(placeholder: string): Promise<readonly string[] | null> {
  switch (placeholder) {
    case "vendor":
      return vendors("destination");
    case "ats":
    case "source":
      return vendors(placeholder);
    case "secret":
      return DECLARED_SECRETS.map(({ name }) => name);
    case "outcome":
      return ATTEMPT_OUTCOMES;
    case "status":
      return INVITE_STATUSES;
    case "state":
      return PUSH_STATES;
    case "way":
      return CONNECT_METHODS;
    case "test":
      return TESTS;
    case "job":
      return (await import("../../flows/jobs/jobs.ts")).JOBS.map(({ name }) => name);
    default:
      return null;
  }
}

function vendors(which: Which): string[] {
  const isWanted = {
    destination: (each: (typeof VENDORS)[number]) => each.destination !== undefined,
    ats: (each: (typeof VENDORS)[number]) => each.destination?.isAts === true,
    source: (each: (typeof VENDORS)[number]) => each.source !== undefined,
  };
  return VENDORS.filter(isWanted[which]).map(({ vendor }) => vendor);
}
