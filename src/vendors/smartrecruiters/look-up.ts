/** What a webhook only names: which test an assessment asks for (`v1`), where an application stands (`published`). */
import type { VendorOptions } from "../contract/destination.ts";
import type { LookUp } from "../contract/look-up.ts";
import { AT_ONCE, publishedProfile } from "./published/contract.ts";
import { lookUpApplication } from "./published/look-up.ts";
import { apiOf, readSettings } from "./settings.ts";
import { testOf } from "./v1/candidates.ts";
import { V1 } from "./v1/profile.ts";
import { WORDS } from "./words.ts";

export function openLookUp({ http, clock, ...options }: VendorOptions): LookUp {
  const settings = readSettings(options);
  const isPublished = settings.profile === "published";
  const profile = isPublished ? publishedProfile(settings.callsPerSecond) : V1;
  const api = apiOf(settings, { http, clock, profile });
  return {
    label: WORDS.label,
    rateLimit: profile.rateLimit,
    atOnce: AT_ONCE,
    ask: async (access, { about }) => {
      if (isPublished) return await lookUpApplication({ ...api, access }, about);
      const { candidateId = "", assessmentId = "" } = about;
      return { kind: "test", test: await testOf({ ...api, access }, { candidateId, assessmentId }) };
    },
  };
}
