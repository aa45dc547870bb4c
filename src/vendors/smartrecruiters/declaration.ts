/** All that SmartRecruiters brings. */
import type { VendorDeclaration } from "../contract/declaration.ts";
import { KEYS } from "./keys.ts";
import { WORDS } from "./words.ts";

export const smartrecruiters: VendorDeclaration = {
  ...WORDS,
  keys: KEYS,
  secrets: [
    { name: "smartrecruiters.client-secret", isOrgs: false, rotates: false },
    { name: "smartrecruiters.api-key", isOrgs: false, rotates: false },
    { name: "smartrecruiters.webhook-secret", isOrgs: true, rotates: true },
  ],
  emulated: { api_base: "", identity_base: "" },
  source: async () => (await import("./source.ts")).smartrecruiters,
  lookUp: async () => (await import("./look-up.ts")).openLookUp,
  destination: {
    ...WORDS,
    isAts: true,
    open: async () => (await import("./smartrecruiters.ts")).openSmartrecruiters,
  },
};
