import type { InviteRequest } from "../../core/invite-request.ts";
import type { Secret } from "../../shared/secret.ts";
import type { Person } from "./ats.ts";

/** Whoever invites candidates when a stage asks for it. */
export interface InviteDesk {
  /**
   * One call, signed with each of the secrets. The request's `assessmentId` names it: asked twice, it is one invite.
   * Throws the signal's reason.
   */
  ask(
    request: InviteRequest,
    person: Person & { email: string },
    options: { secrets: readonly Secret[]; signal: AbortSignal },
  ): Promise<DeskAnswer>;
}

export interface DeskAnswer {
  /** `refused`: it will not be taken as it is. */
  kind: "taken" | "later" | "refused";
  /** Ms since the epoch, where a time was named. */
  notBefore: number | null;
  httpStatus: number | null;
  durationMs: number;
  /** Names nobody; null where it was taken. */
  reason: string | null;
}
