import { heldBriefly } from "../../core/advice/held-words.ts";
import type { Invite } from "../../core/invite.ts";
import type { PushSummary } from "../../store/contract/store.ts";

export function placeOf({ vendor, environment }: Pick<PushSummary, "vendor" | "environment">): string {
  return environment === "sandbox" ? `${vendor} (sandbox)` : vendor;
}

export function stateWords(push: Pick<PushSummary, "state" | "heldCause"> & { delivered: boolean }): string {
  if (push.state === "held") return heldBriefly(push.heldCause);
  if (push.state === "delivered" && !push.delivered) return "waits for the sweep";
  return push.state;
}

function iso(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

export function inviteJson(invite: Invite) {
  return {
    invitationId: invite.invitationId,
    org: invite.org,
    status: invite.status,
    candidate: invite.candidate,
    tests: invite.tests.map(({ reportedAt, ...test }) => ({
      ...test,
      completedAt: iso(test.completedAt),
      ...(reportedAt === undefined ? {} : { reportedAt: iso(reportedAt) }),
    })),
    at: iso(invite.at),
    sentAt: iso(invite.sentAt),
    completedAt: iso(invite.completedAt),
    resultUrl: invite.resultUrl,
    source: invite.origin,
    warnings: invite.warnings,
  };
}

export function pushJson(push: PushSummary & { delivered: boolean }) {
  return { ...push, pendingSince: iso(push.pendingSince), dueAt: iso(push.dueAt) };
}
