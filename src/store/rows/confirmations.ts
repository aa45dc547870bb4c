import type { Confirmed } from "../../core/confirmation.ts";
import type { Environment } from "../../core/connection.ts";
import type { Inquiry } from "../../core/event.ts";
import { inviteOf, NO_CONTACT } from "./rows.ts";

/** A vendor's words on its assessments, as rows, and which invite each of them speaks of. */

export const STATE_AFTER: Record<Confirmed["kind"], string> = {
  noted: "noted",
  confirmed: "confirmed",
  learned: "confirmed",
  ask: "asking",
};

export function inquiryOf({
  vendor,
  org,
  environment,
  candidate_id,
  assessment_id,
}: ConfirmationRow): Inquiry {
  return { vendor, org, environment, about: { candidateId: candidate_id, assessmentId: assessment_id } };
}

/** By its invitation id, else by candidate and assessment together; never across the border of a trial. */
export function speaksOf(
  row: ConfirmationRow,
  invite: ToldInvite,
  { isNamed }: { isNamed: boolean },
): boolean {
  const isTrial = invite.contact === NO_CONTACT;
  if (isTrial !== (row.environment === "sandbox")) return false;
  if (isNamed) return true;
  const { origin } = inviteOf(invite.state);
  return origin?.vendor === row.vendor && origin.candidateId === row.candidate_id;
}

export interface ToldInvite {
  id: number;
  contact: string;
  state: string;
}

export interface ConfirmationRow {
  seq: number;
  vendor: string;
  org: string;
  environment: Environment;
  candidate_id: string;
  assessment_id: string;
  invitation_id: string | null;
  status: string;
  at: number;
  result: string | null;
}
