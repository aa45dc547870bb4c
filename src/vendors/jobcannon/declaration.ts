/** All that JobCannon brings: nothing goes back to it. */
import type { VendorDeclaration } from "../contract/declaration.ts";

export const jobcannon: VendorDeclaration = {
  vendor: "jobcannon",
  label: "JobCannon",
  keys: { global: {}, org: {}, sandbox: {} },
  secrets: [
    {
      name: "jobcannon.webhook-secret",
      isOrgs: false,
      rotates: true,
      shape: {
        pattern: /^whsec_[A-Za-z0-9+/]+={0,2}$/,
        words: "a JobCannon webhook secret begins with whsec_ and is base64",
        hint: "Copy it whole from JobCannon's webhook settings.",
      },
    },
  ],
  emulated: {},
  source: async () => (await import("./source.ts")).jobcannon,
};
