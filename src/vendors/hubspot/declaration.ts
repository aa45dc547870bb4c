/** All that HubSpot brings. */
import type { VendorDeclaration } from "../contract/declaration.ts";
import { KEYS } from "./keys.ts";
import { VERSIONS } from "./versions.ts";
import { WORDS } from "./words.ts";

export const hubspot: VendorDeclaration = {
  ...WORDS,
  keys: KEYS,
  secrets: [{ name: "hubspot.client-secret", isOrgs: false, rotates: false }],
  versions: VERSIONS,
  emulated: { api_base: "", authorize_url: "/oauth/authorize" },
  destination: {
    ...WORDS,
    isAts: false,
    open: async () => (await import("./hubspot.ts")).openHubspot,
  },
};
