import { anInvite, aTest } from "../../core/example.ts";
import { emulated } from "../../emulated.ts";
import type { VendorExample } from "../contract.test.ts";

export const example: VendorExample = {
  destination: {
    settings: { tier: "none" },
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
    writesTo: "/crm/v3/objects/contacts/batch/upsert",
  },
};
