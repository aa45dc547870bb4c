/** The vendors the emulator plays. A new one is its own file and a line here. */
import { createHubspot } from "./hubspot/hubspot.ts";
import { createSmartrecruiters } from "./smartrecruiters/smartrecruiters.ts";
import { createTelegram } from "./telegram.ts";
import type { CreateVendor } from "./vendor.ts";

export const VENDORS = {
  hubspot: createHubspot,
  smartrecruiters: createSmartrecruiters,
  telegram: createTelegram,
} satisfies Record<string, CreateVendor>;

export type VendorName = keyof typeof VENDORS;
