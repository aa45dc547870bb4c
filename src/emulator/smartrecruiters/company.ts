/** One customer's company: its people, what they were asked, and who wants to hear of it. */
import { type CallTimes, noCalls } from "../rate-limit.ts";
import { emptyPublished, type PublishedCompany } from "./published/company.ts";

export interface Candidate {
  id: string;
  firstName: string;
  lastName: string;
  email: string;
  createdOn: string;
  updatedOn?: string;
  /** Where the candidate stands in each job. */
  jobs: Map<string, { status: string; subStatus: string | null }>;
}

export interface Assessment {
  id: string;
  candidateId: string;
  jobId: string;
  test: string;
  status: "invited" | "completed";
  link: string;
  invitedAt: number;
  /** What JobCannon knows of it, once the emulator has played JobCannon. */
  finished?: Finished;
  entry?: ScorecardEntry;
}

export interface Finished {
  invitationId: string;
  completedAt: number;
  result: object;
}

export interface ScorecardEntry {
  assessmentId: string;
  title: string;
  score: string | number | null;
  summary: string | null;
  resultUrl: string | null;
  completedAt: string | null;
  fields: { fieldId: string; value: unknown }[];
}

export interface Subscription {
  id: string;
  event: string;
  targetUrl: string;
  headers: Record<string, string>;
  secret: string;
  status: "active" | "inactive";
}

/** What a stage of a job asks for. */
export interface StageAssessment {
  stage: string;
  test: string;
  required: boolean;
  trigger: "auto" | "manual";
  dueDays: number;
  emailTemplate: "branded" | "default";
}

export interface Company {
  id: string;
  /** The apps that were let in. */
  clientIds: Set<string>;
  candidates: Map<string, Candidate>;
  assessments: Map<string, Assessment>;
  subscriptions: Map<string, Subscription>;
  /** By job, then by stage. */
  catalogue: Map<string, Map<string, StageAssessment>>;
  calls: CallTimes;
  published: PublishedCompany;
}

export function createCompany(id: string): Company {
  return {
    id,
    clientIds: new Set(),
    candidates: new Map(),
    assessments: new Map(),
    subscriptions: new Map(),
    catalogue: new Map(),
    calls: noCalls(),
    published: emptyPublished(),
  };
}

export function assessmentsOf({ assessments }: Company, candidateId: string): Assessment[] {
  return [...assessments.values()].filter((assessment) => assessment.candidateId === candidateId);
}

/** In the order in which the assessments were triggered. */
export function scorecardOf(company: Company, candidateId: string): ScorecardEntry[] {
  return assessmentsOf(company, candidateId).flatMap(({ entry }) => entry ?? []);
}
