/** SmartRecruiters, in whichever contract the account speaks. */
import type { Destination, VendorOptions } from "../contract/destination.ts";
import { createPublished } from "./published/destination.ts";
import { readSettings } from "./settings.ts";
import { createV1 } from "./v1/destination.ts";

const PROFILES = { v1: createV1, published: createPublished };

export function openSmartrecruiters({ http, clock, ...options }: VendorOptions): Destination {
  const settings = readSettings(options);
  return {
    ...PROFILES[settings.profile](settings, http, clock),
    refuseTrial: () =>
      settings.isProduction
        ? `sandbox.smartrecruiters.api_base is the production API, ${settings.apiBase}: a made-up candidate does not belong there`
        : null,
  };
}
