/** JobCannon's part of the road, played here: the candidate finishes, and its receiver is told so. */
import { isoTime } from "../../shared/clock.ts";
import type { Assessment, Candidate, Company } from "./company.ts";
import { signatureHeaders } from "./jobcannon-signature.ts";
import { plausibleResult } from "./plausible-results.ts";
import { post } from "./post.ts";
import type { SmartWorld } from "./world.ts";

export interface Told {
  assessmentId: string;
  invitationId: string;
  /** What the receiver answered; 0 when it could not be reached. */
  status: number;
}

/** Text is why nobody can be told. */
export function readReceiver({ jobcannon }: SmartWorld): { url: string; secret: string } | string {
  const { url, secret } = jobcannon;
  if (url === null) return "no receiver was told: set jobcannonUrl, or start with --jobcannon-url";
  if (secret === null)
    return "no secret to sign with: set jobcannonSecret, or start with --jobcannon-secret <file>";
  const target = new URL(url);
  if (target.pathname === "/") target.pathname = "/jobcannon/events";
  return { url: target.href, secret: secret.reveal() };
}

/** Told again, it is the same invitation with the same result, as when JobCannon sends a snapshot twice. */
export async function tellCompleted(
  world: SmartWorld,
  receiver: { url: string; secret: string },
  invited: { company: Company; assessment: Assessment; org: string },
): Promise<Told> {
  const { company, assessment, org } = invited;
  const now = world.clock.now();
  const finished = assessment.finished ?? {
    invitationId: `inv_${assessment.id}`,
    completedAt: now,
    result: plausibleResult(assessment.test),
  };
  // Known before the receiver is told: its write-back may be here before its answer.
  assessment.finished = finished;
  const candidate = company.candidates.get(assessment.candidateId);
  const body = JSON.stringify(completedEvent({ assessment, finished, candidate, org, now }));
  const status = await post({
    url: receiver.url,
    headers: { "content-type": "application/json", ...signatureHeaders(receiver.secret, body, now) },
    body,
    signal: world.signal,
  });
  return { assessmentId: assessment.id, invitationId: finished.invitationId, status };
}

function completedEvent(known: {
  assessment: Assessment;
  finished: NonNullable<Assessment["finished"]>;
  candidate: Candidate | undefined;
  org: string;
  now: number;
}): object {
  const { assessment, finished, candidate, org, now } = known;
  const completedAt = isoTime(finished.completedAt);
  return {
    type: "invite.completed",
    timestamp: isoTime(now),
    data: {
      invitation_id: finished.invitationId,
      org,
      status: "completed",
      sent_at: isoTime(assessment.invitedAt),
      completed_at: completedAt,
      candidate: {
        email: candidate?.email,
        first_name: candidate?.firstName,
        last_name: candidate?.lastName,
      },
      tests: [
        { slug: assessment.test, status: "completed", completed_at: completedAt, result: finished.result },
      ],
      result_url: null,
      source: {
        vendor: "smartrecruiters",
        candidate_id: assessment.candidateId,
        job_id: assessment.jobId,
        assessment_id: assessment.id,
      },
    },
  };
}
