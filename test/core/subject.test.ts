import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  INVITE_STATUSES,
  type InviteStatus,
  type Snapshot,
  TEST_STATUSES,
  type TestStatus,
} from "../../src/core/event.ts";
import type { Invite } from "../../src/core/invite.ts";
import type { SubjectKind } from "../../src/core/push.ts";
import { contactHeads, raisesPush, subjectOf } from "../../src/core/subject.ts";
import { aTest, anInvite, NOON } from "./example.ts";
import { tries } from "../tries.ts";

const ATS = { vendor: "smartrecruiters", candidateId: "c1", jobId: null, assessmentId: "a1" };

const anyInvite: fc.Arbitrary<Invite> = fc
  .record({
    id: fc.nat(20),
    source: fc.constantFrom({}, { toldBy: "greenhouse" }, { toldBy: "lever" }, { origin: ATS }),
    status: fc.constantFrom(...INVITE_STATUSES),
    tests: fc.array(fc.constantFrom(...TEST_STATUSES), { maxLength: 2 }),
  })
  .map(({ id, source, status, tests }) =>
    anInvite({
      invitationId: `inv_${id}`,
      sentAt: NOON + (id % 7),
      status,
      tests: tests.map((each) => aTest({ status: each })),
      ...source,
    }),
  );

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

describe("an invite of another source", () => {
  const result = anInvite({ invitationId: "inv_1", sentAt: NOON - 9 });
  const stage = (id: string, changes: Partial<Snapshot> = {}) =>
    anInvite({
      invitationId: id,
      sentAt: NOON,
      toldBy: "greenhouse",
      status: "in_progress",
      tests: [],
      ...changes,
    });

  test.each([
    ["a stage without tests", stage("app_1")],
    ["what it calls completed, without a test", stage("app_1", { status: "completed" })],
    ["a test begun", stage("app_1", { tests: [aTest({ status: "started" })] })],
    [
      "the same, told by JobCannon for an ATS",
      stage("app_1", { origin: ATS, tests: [aTest({ status: "started" })] }),
    ],
  ])("that tells %s hides no result", (_, other) => {
    for (const invites of [
      [result, other],
      [other, result],
    ])
      expect(contactHeads(invites).latest).toBe(result);
  });
  test("counts like any other once one of its own tests is completed, or while nobody has a result", () => {
    const tested = stage("app_1", { tests: [aTest(), aTest({ slug: "mbti", status: "started" })] });
    expect(contactHeads([result, tested]).latest).toBe(tested);
    const begun = anInvite({ sentAt: NOON - 9, tests: [aTest({ status: "started" })] });
    const other = stage("app_1");
    expect(contactHeads([begun, other]).latest).toBe(other);
  });
  test("hides nothing, whatever the invites and their order", () => {
    const some = fc.uniqueArray(anyInvite, {
      minLength: 1,
      maxLength: 5,
      selector: ({ invitationId }) => invitationId,
    });
    const invites = some.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    );
    fc.assert(
      fc.property(invites, ([all, shuffled]) => {
        const { latest } = contactHeads(all);
        expect(contactHeads(shuffled).latest).toBe(latest);
        const told = all.filter(({ status }) => status !== "invited");
        const tested = told.filter(({ tests }) => tests.some(({ status }) => status === "completed"));
        expect(latest === null).toBe(told.length === 0);
        if (!latest) return;
        const isOfOneSource = (other: Invite) =>
          other.toldBy === latest.toldBy && other.origin?.vendor === latest.origin?.vendor;
        // Without a result of its own it stands beside results of its own source alone.
        if (!tested.includes(latest)) expect(tested.filter((other) => !isOfOneSource(other))).toEqual([]);
        // What is newer than it was passed over for a result of another source.
        for (const newer of told.filter((other) => (other.sentAt ?? 0) > (latest.sentAt ?? 0))) {
          expect(tested).not.toContain(newer);
          expect(
            tested.some(
              (other) => other.toldBy !== newer.toldBy || other.origin?.vendor !== newer.origin?.vendor,
            ),
          ).toBe(true);
        }
      }),
      tries(500),
    );
  });
});
