/** The vendors. A new one is a folder beside these and its line here. */
import type { Clock } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import type { Http } from "../shared/http.ts";
import { nearest } from "../shared/nearest.ts";
import { listed } from "../shared/text.ts";
import type { DestinationDeclaration, VendorDeclaration } from "./contract/declaration.ts";
import type { Destination, VendorOptions } from "./contract/destination.ts";
import type { InviteDesk } from "./contract/invite-desk.ts";
import type { LookUp } from "./contract/look-up.ts";
import type { Source } from "./contract/source.ts";
import { hubspot } from "./hubspot/declaration.ts";
import { jobcannon } from "./jobcannon/declaration.ts";
import { smartrecruiters } from "./smartrecruiters/declaration.ts";

/** In the order in which people see them. */
export const VENDORS: readonly VendorDeclaration[] = [hubspot, smartrecruiters, jobcannon];

/** As people write them, in one list: those that results go to, or the applicant tracking systems among them. */
export function destinationLabels(only: "all" | "ats"): string {
  const wanted = VENDORS.filter(({ destination }) => destination?.isAts || (only === "all" && destination));
  return listed(wanted.map(({ label }) => label));
}

/** The lines of a vendor's section that lead to its emulator at `url`. */
export function emulatedLines({ emulated }: VendorDeclaration, url: string): string[] {
  return Object.entries(emulated).map(([key, path]) => `${key} = "${url}${path}"`);
}

/** Throws `USAGE` for a vendor that results cannot go to. */
export async function openDestination(vendor: string, options: VendorOptions): Promise<Destination> {
  return (await destinationNamed(vendor).open())(options);
}

/** Null for a vendor that answers no questions. */
export async function openLookUp(vendor: string, options: VendorOptions): Promise<LookUp | null> {
  const open = await VENDORS.find((each) => each.vendor === vendor)?.lookUp?.();
  return open?.(options) ?? null;
}

/** Throws as `openDestination` does. */
export function checkVendor(vendor: string): void {
  destinationNamed(vendor);
}

/** Null where nobody is named who would invite. */
export async function openInviteDesk(options: {
  http: Http;
  clock: Clock;
  url: string;
}): Promise<InviteDesk | null> {
  if (options.url === "") return null;
  return (await import("./jobcannon/invite-desk.ts")).openInviteDesk(options);
}

export async function openSources(): Promise<Source[]> {
  return await Promise.all(VENDORS.flatMap(({ source }) => (source ? [source()] : [])));
}

function destinationNamed(vendor: string): DestinationDeclaration {
  const known = VENDORS.find((each) => each.vendor === vendor);
  if (known?.destination) return known.destination;
  const names = VENDORS.flatMap((each) => (each.destination ? [each.vendor] : []));
  const guess = nearest(vendor, names);
  const words = known ? `no results go to ${known.label}` : `there is no vendor ${vendor}`;
  throw new AppError("USAGE", words, {
    hint: guess ? `Did you mean ${guess}?` : `Vendors: ${names.join(", ")}`,
  });
}
