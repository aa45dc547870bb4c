/** Which test an assessment asks for: a webhook tells its result, and only the vendor knows the test. */
import type { VendorOptions } from "../contract/destination.ts";
import type { LookUp } from "../contract/look-up.ts";
import { testOf } from "./v1/candidates.ts";
import { apiOf, readSettings } from "./settings.ts";
import { V1 } from "./v1/profile.ts";
import { WORDS } from "./words.ts";

/** As many as the vendor takes at once: https://developers.smartrecruiters.com/docs/rate-limiting */
const AT_ONCE = 8;

export function openLookUp({ http, clock, ...options }: VendorOptions): LookUp {
  const settings = readSettings(options);
  const api = apiOf(settings, { http, clock, profile: V1 });
  return {
    label: WORDS.label,
    rateLimit: V1.rateLimit,
    atOnce: AT_ONCE,
    ask: async (access, { about: { candidateId = "", assessmentId = "" } }) => ({
      kind: "test",
      test: await testOf({ ...api, access }, { candidateId, assessmentId }),
    }),
  };
}
