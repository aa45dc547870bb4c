import { anInvite, aTest } from "../../core/example.ts";
import { emulated } from "../../emulated.ts";
import type { OtherExamples, VendorExample } from "../contract/examples.ts";

const inVersion = (version: string, path: string): VendorExample => ({
  destination: {
    settings: { tier: "none", api_version: version },
    subjects: async (_account, n) => Array.from({ length: n }, (_, index) => `person-${index}@example.com`),
    invites: (email) =>
      ["inv_1", "inv_2"].map((invitationId, index) =>
        anInvite({
          invitationId,
          sentAt: index,
          candidate: { email, firstName: null, lastName: null },
          tests: [aTest({ slug: index === 0 ? "iq-test" : "eq", result: { score: 101 } })],
        }),
      ),
    shown: async ({ emulatorUrl }, email) => (await emulated({ url: emulatorUrl }).hubspot.contacts())[email],
    writesTo: `${path}/batch/upsert`,
  },
});

export const example = inVersion("v3", "/crm/v3/objects/contacts");

export const others = {
  "2026-03": inVersion("2026-03", "/crm/objects/2026-03/contacts"),
  "2026-09": inVersion("2026-09", "/crm/objects/2026-09/contacts"),
} satisfies OtherExamples;
