/** The vendors, one line each. A new one is a folder beside these and a line in each list it belongs to. */
import { AppError } from "../shared/errors.ts";
import { nearest } from "../shared/nearest.ts";
import type { Destination, VendorOptions } from "./contract/destination.ts";
import type { Source } from "./contract/source.ts";
import { openHubspot } from "./hubspot/hubspot.ts";
import { jobcannon } from "./jobcannon/source.ts";
import { openSmartrecruiters } from "./smartrecruiters/smartrecruiters.ts";
import { smartrecruiters } from "./smartrecruiters/source.ts";

export const SOURCES = { jobcannon, smartrecruiters } satisfies Record<string, Source>;

export const DESTINATIONS = {
  hubspot: openHubspot,
  smartrecruiters: openSmartrecruiters,
} satisfies Record<string, OpenDestination>;

export type OpenDestination = (options: VendorOptions) => Destination;

/** Throws `USAGE` for a vendor that results cannot go to. */
export function openDestination(vendor: string, options: VendorOptions): Destination {
  for (const [name, open] of Object.entries(DESTINATIONS)) if (name === vendor) return open(options);
  throw unknownVendor(vendor);
}

/** Throws as `openDestination` does. */
export function checkVendor(vendor: string): void {
  if (!Object.hasOwn(DESTINATIONS, vendor)) throw unknownVendor(vendor);
}

function unknownVendor(vendor: string): AppError {
  const known = Object.keys(DESTINATIONS);
  const guess = nearest(vendor, known);
  return new AppError("USAGE", `there is no vendor ${vendor}`, {
    hint: guess ? `Did you mean ${guess}?` : `Vendors: ${known.join(", ")}`,
  });
}
