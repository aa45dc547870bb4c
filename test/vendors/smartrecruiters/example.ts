import { createHmac } from "node:crypto";
import * as v from "valibot";
import { openDestination } from "../../../src/vendors/index.ts";
import type { Access } from "../../../src/vendors/contract/access.ts";
import type { Ats } from "../../../src/vendors/contract/ats.ts";
import type { Destination } from "../../../src/vendors/contract/destination.ts";
import { anInvite, aTest } from "../../core/example.ts";
import { emulated } from "../../emulated.ts";
import { consent, type EmulatedAccount, watchedAccess } from "../contract/account.ts";
import type { EventOf } from "../contract/source.ts";
import type { OtherExamples, VendorExample } from "../contract/examples.ts";

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

const JOB = "j1";
const Application = v.object({ candidateId: v.string(), jobId: v.string(), applicationId: v.string() });

function companyOf({ emulatorUrl }: EmulatedAccount) {
  return emulated({ url: emulatorUrl }).smartrecruiters;
}

/** Somebody new applies for a job. */
async function application(account: EmulatedAccount) {
  const person = { clientId: "app-1", email: "ann@example.com", jobId: JOB, isNew: true };
  return v.parse(Application, await companyOf(account).do("/applications", person));
}

const about = { candidate_id: "c1", job_id: JOB };

const published: VendorExample = {
  source: {
    secrets: ["the key of our subscription", "the key of another one"],
    event: ({ id }) => ({ ...about, application_id: `application of ${id}` }),
    unknown: () => about,
    headers: (body, { secret, id, at, isUnknown }) => {
      const timestamp = String(Math.floor(at / 1000));
      const name = isUnknown ? "candidate.renamed" : "application.status.updated";
      const link = "<https://api.smartrecruiters.com/candidates/c1/jobs/j1>; rel=self";
      const text = [timestamp, body, id, name, "v201910", link].join(".");
      return {
        "smartrecruiters-timestamp": timestamp,
        "event-id": id,
        "event-name": name,
        "event-version": "v201910",
        link,
        "smartrecruiters-signature": `v1=${createHmac("sha256", secret).update(text).digest("hex")}`,
      };
    },
    tells: "question",
    isSignedTime: true,
  },
  lookUp: {
    settings: { client_id: "app-1", profile: "published" },
    token: async ({ options }) =>
      await consent((await openDestination("smartrecruiters", options)).authorization),
    known: async (account) => {
      const about = await application(account);
      return {
        about,
        finding: { kind: "application", application: { ...about, status: "NEW", subStatus: null } },
      };
    },
    unknown: {
      about: { candidateId: "nobody", jobId: JOB, applicationId: "none" },
      finding: { kind: "nothing" },
    },
    asks: "/candidates",
  },
  destination: {
    settings: { profile: "published" },
    prepare: async (account) => {
      const all = ["jc_disc_d", "jc_disc_i"].map((key) => ({
        id: `id-${key}`,
        key,
        label: key,
        type: "NUMBER",
      }));
      await companyOf(account).do("/properties", all);
      // The suite's clock stands still, and with it the second that calls are counted in.
      await companyOf(account).settings({ published: { endpointLimit: 0 } });
    },
    subjects: async (account, n) => {
      const made = Array.from({ length: n }, () => application(account));
      return (await Promise.all(made)).map(({ candidateId }) => candidateId);
    },
    invites: (candidateId) => [
      anInvite({
        origin: { vendor: "smartrecruiters", candidateId, jobId: JOB, assessmentId: `jc_${candidateId}` },
        tests: [aTest({ result: { dimensions: [{ name: "Dominance", score: 68 }] } })],
      }),
    ],
    shown: async (account, candidateId) => {
      const all = await fetch(`${account.emulatorUrl}/_control/smartrecruiters/results`);
      const shown = v.parse(v.array(v.looseObject({ candidateId: v.string() })), await all.json());
      return shown.find((each) => each.candidateId === candidateId);
    },
    writesTo: "/candidates",
  },
};

export const others = { published } satisfies OtherExamples;
