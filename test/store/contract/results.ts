import { describe, expect, test } from "vitest";
import { aTest, NOON } from "../../core/example.ts";
import { anEvent, completedFor, connect, MINUTE, ORIGIN, SMARTRECRUITERS } from "../events.ts";
import { type OpenStore, opened, pushOf } from "../world.ts";
import { claimsOf, unpushed } from "../looks.ts";
import { claimOne } from "./delivering.ts";
import { purgeAll } from "./retention.ts";

const RESULTS = { ...SMARTRECRUITERS, subject: "result" } as const;
const ASSIGNED = { vendor: "smartrecruiters", candidateId: "c7", jobId: "j7" };
const HELD = { kind: "held", cause: "candidate" } as const;
const told = (receipt: string) => ({ kind: "delivered", projection: { title: "DISC" }, receipt }) as const;

/** A destination that takes every result, also one that it never asked for. */
export function describeResults(open: OpenStore): void {
  describe("results that are told one by one", () => {
    test("are keyed by the assessment that asked for them, else by their invitation; another system's are left alone", async () => {
      const store = await opened(open);
      const { id } = await connect(store, RESULTS);
      await store.append([
        anEvent("completed", { invitationId: "inv_asked", origin: ORIGIN }),
        anEvent("completed", { invitationId: "inv_own" }),
        anEvent("completed", { invitationId: "inv_named", origin: { ...ORIGIN, assessmentId: null } }),
        anEvent("completed", {
          invitationId: "inv_others",
          origin: { ...ORIGIN, vendor: "greenhouse", assessmentId: "g1" },
        }),
        anEvent("in_progress", { invitationId: "inv_begun", origin: { ...ORIGIN, assessmentId: "a2" } }),
      ]);
      const claims = await claimsOf(store, { connectionId: id, limit: 10, now: NOON });
      expect(
        claims.map(({ subject, invites }) => [subject, invites.map((each) => each.invitationId)]).toSorted(),
      ).toEqual([
        ["a1", ["inv_asked"]],
        ["invitation:inv_named", ["inv_named"]],
        ["invitation:inv_own", ["inv_own"]],
      ]);
      expect(await pushOf(store, "inv_own", "smartrecruiters")).toMatchObject({ state: "pending" });
      expect((await store.attempts({ org: "acme", limit: 5 })).attempts).toEqual([]);
    });

    test("of before the account was connected are what a backfill means, each once", async () => {
      const store = await opened(open);
      await store.append([
        ...completedFor("ann", "bob"),
        anEvent("completed", { invitationId: "inv_asked", origin: ORIGIN }),
        anEvent("completed", { invitationId: "inv_again", origin: ORIGIN }),
        anEvent("completed", { invitationId: "inv_others", origin: { ...ORIGIN, vendor: "greenhouse" } }),
      ]);
      const { id } = await connect(store, RESULTS);
      expect(await unpushed(store, { connectionId: id, includeInProgress: true })).toBe(3);
      const selection = { unpushed: { connectionId: id, includeInProgress: true } };
      const { subjects } = await store.selectSubjects(selection, { after: null, limit: 10 });
      expect(subjects.toSorted()).toEqual(["a1", "invitation:inv_ann", "invitation:inv_bob"]);
      await store.raise(id, { subjects }, NOON + MINUTE);
      expect(await unpushed(store, { connectionId: id, includeInProgress: true })).toBe(0);
      expect(await store.countPushes({ ...selection, waiting: true })).toMatchObject({ pending: 3 });
      const ofAnn = { pushes: { connectionId: id, email: "bob@example.com" } };
      expect((await store.selectSubjects(ofAnn, { after: null, limit: 9 })).subjects).toEqual([
        "invitation:inv_bob",
      ]);
      const named = { pushes: { connectionId: id, invitationIds: ["inv_bob", "inv_asked"] } };
      expect(await store.countPushes(named)).toMatchObject({ pending: 2 });
    });

    test("come back with what their destination asked to be kept, until the account is another one", async () => {
      const store = await opened(open);
      const { id } = await connect(store, RESULTS);
      await store.append([anEvent("completed", { origin: ORIGIN })]);
      const claim = await claimOne(store, id, NOON);
      expect(claim.receipt).toBe(null);
      await store.settle([{ claim, now: NOON, outcome: told("note 1") }]);
      const again = async () => {
        await store.raise(id, { subjects: ["a1"] }, NOON);
        return await claimOne(store, id, NOON);
      };
      const second = await again();
      expect(second.receipt).toBe("note 1");
      await store.settle([
        { claim: second, now: NOON, outcome: { kind: "delivered", projection: { title: "DISC" } } },
      ]);
      const third = await again();
      expect(third.receipt).toBe("note 1");
      await store.settle([{ claim: third, now: NOON, outcome: { kind: "empty" } }]);
      await store.saveConnection(RESULTS, { account: { id: "4712", name: "B", kind: null, region: null } });
      expect((await again()).receipt).toBe(null);
    });

    test("are keyed otherwise once the same account is connected in another contract", async () => {
      const store = await opened(open);
      const { id } = await connect(store, SMARTRECRUITERS);
      await store.append(completedFor("ann"));
      expect(await claimsOf(store, { connectionId: id, limit: 9, now: NOON })).toEqual([]);
      await connect(store, RESULTS);
      await store.append(completedFor("bob"));
      expect((await claimOne(store, id, NOON)).subject).toBe("invitation:inv_bob");
    });

    test("are attempts of their invitation in the delivery log, found by its address", async () => {
      const store = await opened(open);
      const { id } = await connect(store, RESULTS);
      await store.append(completedFor("ann"));
      const claim = await claimOne(store, id, NOON);
      const attempt = {
        outcome: "held",
        httpStatus: 200,
        correlationId: null,
        durationMs: 3,
        reason: "two",
      } as const;
      await store.settle([{ claim, now: NOON, attempt, outcome: HELD }]);
      for (const query of [{}, { email: "Ann@example.com" }, { invitationId: "inv_ann" }])
        expect((await store.attempts({ org: "acme", limit: 5, ...query })).attempts).toMatchObject([
          { subject: "invitation:inv_ann", invitationId: "inv_ann", outcome: "held" },
        ]);
    });

    test("stay with their invites for as long as one is open, and go with them", async () => {
      const store = await opened(open);
      const { id } = await connect(store, RESULTS);
      await store.append(completedFor("ann"));
      const claim = await claimOne(store, id, NOON);
      await store.settle([{ claim, now: NOON, outcome: HELD }]);
      expect(await purgeAll(store)).toMatchObject({ invites: 0, pushes: 0 });
      await store.assign({ org: "acme", invitationId: "inv_ann" }, ASSIGNED, NOON);
      const next = await claimOne(store, id, NOON);
      await store.settle([{ claim: next, now: NOON, outcome: told("note 1") }]);
      expect(await purgeAll(store)).toMatchObject({ invites: 1, pushes: 1 });
      expect(await store.invite("acme", "inv_ann")).toBe(null);
    });
  });

  describe("a result whose candidate an operator names", () => {
    test("is due, carries the name, and keeps it whatever its source tells", async () => {
      const store = await opened(open);
      const { id } = await connect(store, RESULTS);
      await store.append(completedFor("ann", "bob"));
      for (const claim of await claimsOf(store, { connectionId: id, limit: 2, now: NOON + 2 }))
        await store.settle([{ claim, now: NOON, outcome: HELD }]);
      expect(await store.assign({ org: "acme", invitationId: "inv_ann" }, ASSIGNED, NOON)).toBe(true);
      expect(await pushOf(store, "inv_bob", "smartrecruiters")).toMatchObject({ heldCause: "candidate" });
      const claim = await claimOne(store, id, NOON);
      expect(claim).toMatchObject({ subject: "invitation:inv_ann", invites: [{ assigned: ASSIGNED }] });
      await store.append([
        anEvent("completed", {
          invitationId: "inv_ann",
          candidate: { email: "ann@example.com", firstName: null, lastName: null },
          at: NOON + MINUTE,
          tests: [aTest({ slug: "iq-test" })],
        }),
      ]);
      expect((await store.invite("acme", "inv_ann"))?.invite).toMatchObject({
        assigned: ASSIGNED,
        tests: [{ slug: "iq-test" }],
      });
    });

    test("waits for the whole connection where that is held, and goes out with it", async () => {
      const store = await opened(open);
      const { id } = await connect(store, RESULTS);
      await store.append(completedFor("ann"));
      const claim = await claimOne(store, id, NOON);
      await store.settle([{ claim, now: NOON, outcome: HELD }]);
      await store.hold(id, { cause: "reconnect" });
      await store.assign({ org: "acme", invitationId: "inv_ann" }, ASSIGNED, NOON);
      expect(await pushOf(store, "inv_ann", "smartrecruiters")).toMatchObject({ heldCause: "reconnect" });
      await store.release(id, { held: ["reconnect"] }, NOON);
      expect(await pushOf(store, "inv_ann", "smartrecruiters")).toMatchObject({ state: "pending" });
    });

    test("is nobody's where there is no such invite", async () => {
      const store = await opened(open);
      expect(await store.assign({ org: "acme", invitationId: "inv_none" }, ASSIGNED, NOON)).toBe(false);
    });
  });
}
