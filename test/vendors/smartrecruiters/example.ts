import { createHmac } from "node:crypto";
import { openDestination } from "../../../src/vendors/index.ts";
import type { Access } from "../../../src/vendors/contract/access.ts";
import type { Ats } from "../../../src/vendors/contract/ats.ts";
import type { Destination } from "../../../src/vendors/contract/destination.ts";
import { anInvite, aTest } from "../../core/example.ts";
import { emulated } from "../../emulated.ts";
import { consent, watchedAccess } from "../contract/account.ts";
import type { EventOf } from "../contract/source.ts";
import type { VendorExample } from "../contract.test.ts";

const event = ({ id, at }: EventOf, type = "candidate.assessment.completed") => ({
  id,
  event: type,
  occurredAt: new Date(at).toISOString(),
  data: {
    candidateId: "c1",
    jobId: "j1",
    assessmentId: "a1",
    invitationId: "inv_1",
    status: "completed",
    result: { dimensions: [{ name: "Dominance", score: 68, percentile: 65 }], duration_seconds: 245 },
  },
});

function atsOf({ ats }: Destination): Ats {
  if (!ats) throw new Error("SmartRecruiters is an applicant tracking system");
  return ats;
}

/** A candidate who is asked to take a test. */
async function assessment(ats: Ats, access: Access) {
  const person = { firstName: "Ann", lastName: "Lee", email: "ann@example.com" };
  const candidateId = await ats.createCandidate(access, person);
  const { id } = await ats.triggerAssessment(access, { candidateId, jobId: "j1", test: "disc" });
  return { candidateId, assessmentId: id };
}

export const example: VendorExample = {
  source: {
    secrets: ["our webhook's secret", "another webhook's secret"],
    event: (of) => event(of),
    unknown: (of) => event(of, "candidate.renamed"),
    headers: (body, { secret }) => ({
      "x-smartrecruiters-signature": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
    }),
    tells: "confirmation",
  },
  lookUp: {
    settings: { client_id: "app-1" },
    token: async ({ options }) =>
      await consent((await openDestination("smartrecruiters", options)).authorization),
    known: async ({ options }, token) => {
      const ats = atsOf(await openDestination("smartrecruiters", options));
      const about = await assessment(
        ats,
        watchedAccess(async () => token),
      );
      return { about, finding: { kind: "test", test: "disc" } };
    },
    unknown: {
      about: { candidateId: "nobody", assessmentId: "none" },
      finding: { kind: "test", test: null },
    },
    asks: "/v1/assessments",
  },
  destination: {
    settings: {},
    subjects: async ({ destination, access }, n) => {
      const made = Array.from({ length: n }, () => assessment(atsOf(destination), access));
      return (await Promise.all(made)).map(({ assessmentId }) => assessmentId);
    },
    invites: (assessmentId) => [
      anInvite({
        origin: { vendor: "smartrecruiters", candidateId: "c1", jobId: "j1", assessmentId },
        tests: [aTest({ result: { dimensions: [{ name: "Dominance", score: 68 }] } })],
      }),
    ],
    shown: async ({ emulatorUrl }, assessmentId) => {
      const cards = Object.values(await emulated({ url: emulatorUrl }).smartrecruiters.scorecards());
      return cards.flat().find((entry) => entry.assessmentId === assessmentId);
    },
    writesTo: "/v1/assessments",
  },
};
