/** Snapshots and invites for tests: an ordinary one, changed where the test says. */
import type { Snapshot, Test } from "../../src/core/event.ts";
import { fold } from "../../src/core/fold.ts";
import type { Invite } from "../../src/core/invite.ts";

export const NOON = Date.UTC(2026, 10, 22, 12);

export function aTest(changes: Partial<Test> = {}): Test {
  return { slug: "disc", status: "completed", completedAt: null, result: null, ...changes };
}

export function aSnapshot(changes: Partial<Snapshot> = {}): Snapshot {
  return {
    org: "acme",
    invitationId: "inv_1",
    at: NOON,
    status: "completed",
    sentAt: null,
    completedAt: null,
    candidate: { email: "ann@example.com", firstName: "Ann", lastName: "Lee" },
    tests: [aTest()],
    resultUrl: null,
    origin: null,
    warnings: [],
    ...changes,
  };
}

export function anInvite(changes: Partial<Snapshot> = {}): Invite {
  return fold(null, aSnapshot(changes), "00").invite;
}
