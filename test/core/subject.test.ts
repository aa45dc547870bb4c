import { describe, expect, test } from "vitest";
import type { InviteStatus, TestStatus } from "../../src/core/event.ts";
import type { SubjectKind } from "../../src/core/push.ts";
import { contactHeads, raisesPush, subjectOf } from "../../src/core/subject.ts";
import { aTest, anInvite, NOON } from "./example.ts";

describe("the subject of an invite", () => {
  test("is the address in lower case and without outer blanks where contacts are told", () => {
    const invite = anInvite({ candidate: { email: "  Ann@Example.COM ", firstName: null, lastName: null } });
    expect(subjectOf("contact", invite)).toBe("ann@example.com");
  });
  test("is the assessment that asked for it where assessments are told", () => {
    const origin = { vendor: "smartrecruiters", candidateId: "c1", jobId: null, assessmentId: "a1" };
    expect(subjectOf("assessment", anInvite({ origin }))).toBe("a1");
  });
  test("is none where no assessment asked for it", () => {
    const origin = { vendor: "smartrecruiters", candidateId: "c1", jobId: null, assessmentId: null };
    expect(subjectOf("assessment", anInvite())).toBeNull();
    expect(subjectOf("assessment", anInvite({ origin }))).toBeNull();
  });
});

describe("a push is raised at once", () => {
  const cases: [SubjectKind, InviteStatus, TestStatus[], pushedBefore: boolean, raises: boolean][] = [
    ["contact", "invited", ["assigned"], true, false],
    ["contact", "in_progress", ["completed", "started"], true, false],
    ["contact", "completed", ["completed"], false, true],
    ["contact", "expired", ["started"], false, false],
    ["contact", "expired", ["started"], true, true],
    ["contact", "expired", ["completed", "assigned"], false, true],
    ["contact", "cancelled", ["assigned"], false, false],
    ["contact", "cancelled", ["assigned"], true, true],
    ["contact", "cancelled", ["completed", "assigned"], false, true],
    ["assessment", "completed", ["completed"], false, true],
    ["assessment", "in_progress", ["completed", "started"], true, false],
    ["assessment", "expired", ["completed", "assigned"], true, false],
    ["assessment", "cancelled", ["completed", "assigned"], true, false],
  ];
  test.each(cases)(
    "%s, %s, tests %j, pushed before: %s → %s",
    (kind, status, tests, pushedBefore, raises) => {
      const invite = anInvite({ status, tests: tests.map((each) => aTest({ status: each })) });
      expect(invite.status).toBe(status);
      expect(raisesPush(kind, invite, { pushedBefore })).toBe(raises);
    },
  );
});

describe("the invites that speak for a contact", () => {
  const completed = anInvite({ invitationId: "inv_1", sentAt: NOON - 3 });
  const started = { status: "in_progress", tests: [aTest({ status: "started" })] } as const;
  const newer = anInvite({ invitationId: "inv_2", sentAt: NOON - 2, ...started, tests: [...started.tests] });
  const invited = anInvite({ invitationId: "inv_3", sentAt: NOON, status: "invited", tests: [] });

  test("are the newest beyond invited and the newest completed", () => {
    expect(contactHeads([completed, newer, invited])).toEqual({ latest: newer, latestCompleted: completed });
  });
  test("are none while all are invited", () => {
    expect(contactHeads([invited])).toEqual({ latest: null, latestCompleted: null });
  });
  test("are dated by the earliest timestamp when nobody says when they were sent", () => {
    const undated = { ...anInvite({ invitationId: "inv_0" }), earliestAt: NOON - 1 };
    expect(contactHeads([newer, undated]).latest).toBe(undated);
    expect(contactHeads([newer, { ...undated, earliestAt: NOON - 9 }]).latest).toBe(newer);
  });
  test("are told apart by their id when they are of one moment, in both orders", () => {
    const twin = { ...completed, invitationId: "inv_9" };
    expect(contactHeads([completed, twin]).latest).toBe(twin);
    expect(contactHeads([twin, completed]).latest).toBe(twin);
  });
});
