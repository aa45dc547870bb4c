import type { InviteRequest } from "../../core/invite-request.ts";
import type { PushSummary, Refusal, Store } from "../../store/contract/store.ts";
import type { Assessment, Ats, CatalogEntry, StagePlace } from "../../vendors/contract/ats.ts";
import type { TrialAccount, TrialContext, TrialRequest } from "./trial-account.ts";

/** What the steps of a trial in an applicant tracking system share. */
export interface AtsTrial {
  context: TrialContext;
  store: Store;
  request: AtsTrialRequest;
  ats: Ats;
  found: Found;
  startedAt: number;
  refusedBefore: readonly Refusal[];
}

export interface AtsTrialRequest extends TrialRequest {
  jobId: string;
  /** Null: the one stage of the job that triggers a test. */
  stage: string | null;
  /** Null: the one that the stage triggers. */
  test: string | null;
  /** How long the person has to take the test. */
  waitMs: number;
  /** Shows the person where to take it; null where JobCannon's mail holds the link. */
  onLink(link: { link: string | null; candidateId: string }): Promise<void>;
}

/** What the steps find and hand on. */
export interface Found {
  account?: TrialAccount;
  place?: StagePlace;
  entry?: CatalogEntry | null;
  candidateId?: string;
  email?: string;
  /** What a stage of ours asked JobCannon for. */
  request?: InviteRequest;
  assessment?: Assessment;
  invitationId?: string;
  written?: Written;
}

/** What became of the result on its way to the scorecard. */
export type Written = { push: PushSummary; reason: string | null } | "nothing yet";

/** How often a vendor is asked whether something has come about, and how often our own store. */
export const VENDOR_LOOKS_EVERY_MS = 500;
export const STORE_LOOKS_EVERY_MS = 100;

export function lookingIn({ clock }: TrialContext, { signal }: AtsTrialRequest) {
  return { clock, signal };
}
