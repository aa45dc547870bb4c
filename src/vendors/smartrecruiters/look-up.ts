/** Which test an assessment asks for: a webhook tells its result, and only the vendor knows the test. */
import type { VendorOptions } from "../contract/destination.ts";
import type { LookUp } from "../contract/look-up.ts";
import { testOf } from "./candidates.ts";
import { apiOf, readSettings } from "./settings.ts";
import { WORDS } from "./words.ts";

/** As many as the vendor takes at once: https://developers.smartrecruiters.com/docs/rate-limiting */
const AT_ONCE = 8;

export function openLookUp({ http, clock, ...options }: VendorOptions): LookUp {
  const settings = readSettings(options);
  const api = apiOf(settings, { http, clock });
  return {
    label: WORDS.label,
    rateLimit: settings.profile.rateLimit,
    atOnce: AT_ONCE,
    ask: async (access, { about: { candidateId = "", assessmentId = "" } }) => ({
      kind: "test",
      test: await testOf({ ...api, access }, { candidateId, assessmentId }),
    }),
  };
}
