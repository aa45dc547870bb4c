import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  INVITE_STATUSES,
  type InviteStatus,
  type Snapshot,
  TEST_STATUSES,
  type TestStatus,
} from "../../src/core/event.ts";
import { EMAIL_CHANGED, fold } from "../../src/core/fold.ts";
import type { Invite } from "../../src/core/invite.ts";
import { aSnapshot, aTest, anInvite, NOON } from "./example.ts";
import { tries } from "../tries.ts";

function tests(...statuses: TestStatus[]) {
  return statuses.map((status) => aTest({ status }));
}

describe("the status of an invite", () => {
  const cases: [declared: InviteStatus, tests: TestStatus[], computed: InviteStatus][] = [
    ["completed", ["completed", "completed"], "completed"],
    ["in_progress", ["completed"], "completed"],
    ["expired", ["completed"], "completed"],
    ["cancelled", ["completed"], "completed"],
    ["expired", ["completed", "started"], "expired"],
    ["cancelled", ["assigned"], "cancelled"],
    ["expired", [], "expired"],
    ["completed", ["completed", "assigned"], "in_progress"],
    ["invited", ["started"], "in_progress"],
    ["in_progress", ["assigned"], "invited"],
    ["completed", [], "completed"],
    ["in_progress", [], "in_progress"],
    ["invited", ["assigned", "assigned"], "invited"],
  ];
  test.each(cases)("declared %s with tests %j is %s", (declared, statuses, computed) => {
    const invite = anInvite({ status: declared, tests: tests(...statuses) });
    expect(invite.status).toBe(computed);
    expect(invite.declaredStatus).toBe(declared);
    expect(invite.warnings).toEqual(
      declared === computed ? [] : [`declared ${declared}, but its tests make it ${computed}`],
    );
  });
});

describe("the completion time of an invite", () => {
  test("is what the source says", () => {
    expect(anInvite({ completedAt: 7, tests: [aTest({ completedAt: 9 })] }).completedAt).toBe(7);
  });
  test("is else the latest test's", () => {
    const completed = [aTest({ completedAt: 5 }), aTest({ completedAt: 9 }), aTest()];
    expect(anInvite({ tests: completed }).completedAt).toBe(9);
  });
  test("is else the timestamp", () => {
    expect(anInvite().completedAt).toBe(NOON);
  });
  test("is absent while the invite is not completed, whatever the source says", () => {
    expect(anInvite({ completedAt: 7, tests: tests("started") }).completedAt).toBeNull();
  });
});

describe("of two snapshots", () => {
  const started = aSnapshot({ status: "in_progress", tests: tests("completed", "started") });

  test("the later one wins whole", () => {
    const later = aSnapshot({
      at: NOON + 1,
      status: "in_progress",
      tests: tests("started"),
      resultUrl: null,
    });
    const first = fold(null, aSnapshot({ resultUrl: "https://a.example" }), "ff").invite;
    const { invite, newest, earliestMoved } = fold(first, later, "00");
    expect(newest).toBe(true);
    expect(earliestMoved).toBe(false);
    expect(invite).toMatchObject({
      status: "in_progress",
      resultUrl: null,
      completedAt: null,
      bodyHash: "00",
    });
    expect(invite.earliestAt).toBe(NOON);
  });

  test("an older one moves only the earliest timestamp", () => {
    const first = fold(null, aSnapshot(), "00").invite;
    const { invite, newest, earliestMoved } = fold(first, { ...started, at: NOON - 1 }, "ff");
    expect(newest).toBe(false);
    expect(earliestMoved).toBe(true);
    expect(invite).toEqual({ ...first, earliestAt: NOON - 1 });
  });

  test("a repeated one changes nothing", () => {
    const first = fold(null, started, "aa").invite;
    expect(fold(first, started, "aa")).toEqual({ invite: first, newest: false, earliestMoved: false });
  });

  test.each([
    ["more completed tests", started, aSnapshot({ tests: tests("completed", "completed") })],
    [
      "the status further along",
      aSnapshot({ status: "expired", tests: tests("started") }),
      aSnapshot({ status: "cancelled", tests: tests("started") }),
    ],
  ])("of the same second the one with %s wins in both orders", (_, lesser, greater) => {
    for (const invite of bothOrders(lesser, "ff", greater, "00")) expect(invite.bodyHash).toBe("00");
  });

  test("that differ in nothing but the body the greater hash wins in both orders", () => {
    for (const invite of bothOrders(started, "0a", started, "0b")) expect(invite.bodyHash).toBe("0b");
  });

  test("with two addresses a warning stays that names neither, in both orders", () => {
    const moved = aSnapshot({
      at: NOON + 1,
      candidate: { email: "new@example.com", firstName: null, lastName: null },
    });
    for (const invite of bothOrders(aSnapshot(), "00", moved, "11")) {
      expect(invite.candidate.email).toBe("new@example.com");
      expect(invite.warnings).toEqual([EMAIL_CHANGED]);
    }
    expect(EMAIL_CHANGED).not.toContain("@");
  });

  test("with one address in two spellings no warning is kept", () => {
    const shouted = aSnapshot({
      at: NOON + 1,
      candidate: { email: " ANN@example.com", firstName: null, lastName: null },
    });
    expect(fold(anInvite(), shouted, "11").invite.warnings).toEqual([]);
  });
});

test("snapshots make the same invite in every order and with repeats", () => {
  const snapshot: fc.Arbitrary<Snapshot> = fc.record({
    org: fc.constant("acme"),
    invitationId: fc.constant("inv_1"),
    at: fc.integer({ min: NOON, max: NOON + 2 }),
    status: fc.constantFrom(...INVITE_STATUSES),
    sentAt: fc.constantFrom(null, NOON - 5),
    completedAt: fc.constantFrom(null, NOON - 1),
    candidate: fc.constantFrom("a@x.example", "A@x.example", "b@x.example").map((email) => ({
      email,
      firstName: null,
      lastName: null,
    })),
    tests: fc.array(
      fc.constantFrom(...TEST_STATUSES).map((status) => aTest({ status })),
      { maxLength: 3 },
    ),
    resultUrl: fc.constant(null),
    origin: fc.constant(null),
    warnings: fc.constantFrom([], ["odd"]),
  });
  const told = fc.array(snapshot, { minLength: 1, maxLength: 6 }).chain((snapshots) => {
    const bodies = snapshots.map((each, index) => ({ snapshot: each, hash: `0${index}` }));
    const shuffled = fc.shuffledSubarray([...bodies, ...bodies], { minLength: bodies.length * 2 });
    return fc.record({ bodies: fc.constant(bodies), shuffled });
  });
  fc.assert(
    fc.property(told, ({ bodies, shuffled }) => {
      expect(foldAll(shuffled)).toEqual(foldAll(bodies));
    }),
    tries(100),
  );
});

function foldAll(bodies: readonly { snapshot: Snapshot; hash: string }[]): Invite | null {
  return bodies.reduce<Invite | null>((invite, body) => fold(invite, body.snapshot, body.hash).invite, null);
}

function bothOrders(a: Snapshot, hashA: string, b: Snapshot, hashB: string): Invite[] {
  return [
    fold(fold(null, a, hashA).invite, b, hashB).invite,
    fold(fold(null, b, hashB).invite, a, hashA).invite,
  ];
}
