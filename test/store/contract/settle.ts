import { describe, expect, test } from "vitest";
import type { Claim, SettleOutcome, Store } from "../../../src/store/contract/store.ts";
import { NOON } from "../../core/example.ts";
import { anEvent, connect, MINUTE, anotherAccount } from "../events.ts";
import { type OpenStore, opened, pushOf } from "../world.ts";
import {
  anAttempt,
  claimedSubjects,
  claimOne,
  DELIVERED,
  deliverAll,
  PROJECTION,
  REJECTED,
  REJECTION,
} from "./delivering.ts";

const LATER = NOON + 10 * MINUTE;
const MOVED = NOON + MINUTE;

export function describeSettle(open: OpenStore): void {
  /** One push, claimed at noon. */
  const claimed = async () => {
    const store = await opened(open);
    const { id } = await connect(store);
    await store.append([anEvent("completed")]);
    return { store, id, claim: await claimOne(store, id, NOON) };
  };
  /** News of the invite while its push is in flight. */
  const move = (store: Store) =>
    store.append([anEvent("completed", { at: MOVED, resultUrl: "https://new.example" })]);

  describe("attempts in numbers", () => {
    test("have each result once, by how its last try ended, and all tries", async () => {
      const { store, id, claim } = await claimed();
      await store.settle([{ claim, now: LATER, outcome: REJECTED, attempt: anAttempt("rejected") }]);
      const [first] = await store.attemptSums({ org: "acme" });
      expect(first).toMatchObject({ outcome: "rejected", attempts: 1, subjects: 1 });
      await move(store);
      const again = await claimOne(store, id, LATER + MINUTE);
      const attempt = anAttempt("delivered");
      await store.settle([{ claim: again, now: LATER + MINUTE, outcome: DELIVERED, attempt }]);
      const rejected = { outcome: "rejected", attempts: 1, subjects: 0 };
      expect(await store.attemptSums({ org: "acme" })).toMatchObject([
        { outcome: "delivered", attempts: 1, subjects: 1 },
        rejected,
      ]);
      expect(await store.attemptSums({ org: "acme", outcome: "rejected" })).toMatchObject([rejected]);
      expect(await store.attemptSums({ org: "acme", until: LATER + MINUTE })).toMatchObject([
        { ...rejected, subjects: 1 },
      ]);
    });
  });

  describe("settlements that come together", () => {
    const ORGS = ["acme", "bolt", "cog", "dyne", "echo"];
    /** One push of each org, claimed. */
    const claims = async (store: Store) => {
      await store.append(ORGS.map((org) => anEvent("completed", { org, eventId: `evt_${org}` })));
      const found: Claim[] = [];
      for (const org of ORGS) found.push(await claimOne(store, (await connect(store, { org })).id, NOON));
      return found;
    };

    test("end their own pushes, and note the time of their own connections", async () => {
      const store = await opened(open);
      for (const org of ORGS) await connect(store, { org });
      const found = await claims(store);
      const settle = (claim: Claim, n: number) =>
        store.settle([{ claim, now: LATER + n, outcome: DELIVERED, attempt: anAttempt("delivered") }]);
      await Promise.all(found.map(settle));
      const synced = (await store.connections()).map(({ org, lastSyncAt }) => [org, lastSyncAt]);
      expect(Object.fromEntries(synced)).toEqual(Object.fromEntries(ORGS.map((org, n) => [org, LATER + n])));
      expect(await store.dueWork(LATER + MINUTE)).toEqual([]);
    });

    test("fail alone, where one cannot be written", async () => {
      const store = await opened(open);
      for (const org of ORGS) await connect(store, { org });
      const found = await claims(store);
      const ended = await Promise.allSettled(
        found.map((claim, n) => {
          const attempt = { ...anAttempt("delivered"), durationMs: n === 3 ? Number.NaN : 12 };
          return store.settle([{ claim, now: LATER, outcome: DELIVERED, attempt }]);
        }),
      );
      expect(ended.map(({ status }) => status === "fulfilled")).toEqual(ORGS.map((_, n) => n !== 3));
      const attempts = await Promise.all(ORGS.map((org) => store.attemptSums({ org })));
      expect(attempts.map((sums) => sums.length)).toEqual(ORGS.map((_, n) => Number(n !== 3)));
    });
  });

  describe("settle", () => {
    test("ends a delivered push with its projection, and notes when the connection last worked", async () => {
      const { store, claim } = await claimed();
      const warnings = [{ field: "jc_iq_score", reason: "out of range" }];
      await store.settle([
        { claim, now: LATER, outcome: DELIVERED, attempt: anAttempt("delivered"), warnings },
      ]);
      expect(await pushOf(store)).toMatchObject({
        state: "delivered",
        delivered: true,
        pendingSince: null,
        dueAt: null,
        projection: PROJECTION,
        rejection: null,
        warnings,
      });
      expect((await store.connections("acme"))[0]?.lastSyncAt).toBe(LATER);
    });

    test("ends a push that had nothing to tell, without an attempt", async () => {
      const { store, claim } = await claimed();
      await store.settle([{ claim, now: LATER, outcome: { kind: "empty" } }]);
      expect(await pushOf(store)).toMatchObject({ state: "delivered", delivered: true, projection: null });
      expect((await store.invite("acme", "inv_1"))?.attempts).toEqual([]);
    });

    test("keeps a rejected push with the vendor's words and what it said no to", async () => {
      const { store, id, claim } = await claimed();
      await store.settle([{ claim, now: LATER, outcome: REJECTED, attempt: anAttempt("rejected", "no") }]);
      expect(await pushOf(store)).toMatchObject({
        state: "rejected",
        delivered: false,
        pendingSince: null,
        projection: PROJECTION,
        rejection: REJECTION,
      });
      expect(await claimedSubjects(store, id, LATER)).toEqual([]);
    });

    test("forgets a rejection once the vendor takes a later version", async () => {
      const { store, id, claim } = await claimed();
      await store.settle([{ claim, now: NOON, outcome: REJECTED }]);
      await move(store);
      await deliverAll(store, id, MOVED);
      expect(await pushOf(store)).toMatchObject({ state: "delivered", rejection: null });
    });

    test("lets a push wait until its next try, counting tries only where told to", async () => {
      const { store, id, claim } = await claimed();
      const later = (counted: boolean): SettleOutcome => ({ kind: "pending", dueAt: LATER, counted });
      await store.settle([{ claim, now: NOON, outcome: later(true) }]);
      expect(await pushOf(store)).toMatchObject({ state: "pending", dueAt: LATER, pendingSince: NOON });
      expect(await claimedSubjects(store, id, LATER - 1)).toEqual([]);
      const second = await claimOne(store, id, LATER);
      expect(second.tries).toBe(1);
      await store.settle([{ claim: second, now: LATER, outcome: later(false) }]);
      expect((await claimOne(store, id, LATER)).tries).toBe(1);
    });

    test("holds a push for a cause of its own, waiting since it waits", async () => {
      const { store, id, claim } = await claimed();
      await store.settle([{ claim, now: LATER, outcome: { kind: "held", cause: "property" } }]);
      expect(await pushOf(store)).toMatchObject({ state: "held", heldCause: "property", pendingSince: NOON });
      expect(await claimedSubjects(store, id, LATER)).toEqual([]);
    });

    test.each([
      ["delivered", DELIVERED],
      ["rejected", REJECTED],
      ["found empty", { kind: "empty" }],
    ] as const)("makes a push due again at once whose version moved while it was %s", async (_, outcome) => {
      const { store, id, claim } = await claimed();
      await move(store);
      await store.settle([{ claim, now: LATER, outcome }]);
      expect(await pushOf(store)).toMatchObject({ state: "pending", pendingSince: MOVED, delivered: false });
      expect(await claimedSubjects(store, id, LATER)).toEqual(["ann@example.com"]);
    });

    test("keeps the time of the next try when the version moved meanwhile", async () => {
      const { store, id, claim } = await claimed();
      await move(store);
      await store.settle([{ claim, now: NOON, outcome: { kind: "pending", dueAt: LATER, counted: true } }]);
      expect(await pushOf(store)).toMatchObject({ state: "pending", dueAt: LATER, pendingSince: NOON });
      expect((await claimOne(store, id, LATER)).tries).toBe(1);
    });

    test("makes a push due again at once that was to be held for what its older version said", async () => {
      const { store, id, claim } = await claimed();
      await move(store);
      await store.settle([{ claim, now: LATER, outcome: { kind: "held", cause: "property" } }]);
      expect(await pushOf(store)).toMatchObject({ state: "pending", heldCause: null, pendingSince: NOON });
      expect(await claimedSubjects(store, id, LATER)).toEqual(["ann@example.com"]);
    });

    test("counts an invite as delivered once its own state was, though its contact has newer news", async () => {
      const { store, claim } = await claimed();
      await store.append([anEvent("completed", { invitationId: "inv_2", at: MOVED })]);
      await store.settle([{ claim, now: LATER, outcome: DELIVERED }]);
      expect((await pushOf(store, "inv_1"))?.delivered).toBe(true);
      expect((await pushOf(store, "inv_2"))?.delivered).toBe(false);
    });

    test("counts an invite as delivered that was told along with another", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      await store.append([
        anEvent("completed"),
        anEvent("in_progress", { invitationId: "inv_2", at: MOVED }),
      ]);
      await deliverAll(store, id, MOVED);
      expect((await pushOf(store, "inv_2"))?.delivered).toBe(true);
    });

    test("is not needed for claims that were let go: they are due again", async () => {
      const { store, id, claim } = await claimed();
      expect(await store.dueWork(LATER)).toEqual([]);
      await store.letGo([claim.lease]);
      expect(await store.dueWork(LATER)).toMatchObject([{ connectionId: id, dueAt: NOON }]);
      const again = await claimOne(store, id, LATER);
      expect(again.subject).toBe(claim.subject);
      await store.dueWork(LATER);
      await store.settle([{ claim: again, now: LATER, outcome: DELIVERED, attempt: anAttempt("delivered") }]);
      expect(await pushOf(store)).toMatchObject({ state: "delivered" });
    });

    test("of an older value that was taken over while it was on its way has the newer one told again", async () => {
      const { store, id, claim: older } = await claimed();
      await store.letGo([older.lease]);
      await move(store);
      const newer = await claimOne(store, id, LATER);
      await store.settle([{ claim: newer, now: LATER, outcome: DELIVERED, attempt: anAttempt("delivered") }]);
      expect(await store.dueWork(LATER)).toEqual([]);
      await store.settle([{ claim: older, now: LATER, outcome: DELIVERED, attempt: anAttempt("delivered") }]);
      expect(await store.dueWork(LATER)).toMatchObject([{ connectionId: id, dueAt: LATER }]);
    });

    test.each([
      ["delivered", DELIVERED],
      ["rejected", REJECTED],
      ["held", { kind: "held", cause: "property" }],
    ] as const)("of what another account was told changes nothing: it %s", async (_, outcome) => {
      const { store, id, claim: older } = await claimed();
      await anotherAccount(store);
      await move(store);
      const newer = await claimOne(store, id, LATER);
      const settleOlder = () =>
        store.settle([{ claim: older, now: LATER + MINUTE, outcome, attempt: anAttempt("delivered") }]);
      await settleOlder();
      await store.settle([{ claim: newer, now: LATER, outcome: DELIVERED }]);
      const told = await pushOf(store);
      await settleOlder();
      expect(await pushOf(store)).toEqual(told);
      expect((await store.connections("acme"))[0]?.lastSyncAt).toBe(LATER);
      expect(await store.dueWork(LATER + MINUTE)).toEqual([]);
    });

    test("keeps the attempt of a push whose lease was lost, and leaves the push to its new holder", async () => {
      const { store, id, claim } = await claimed();
      await anotherAccount(store);
      const again = await claimOne(store, id, LATER);
      await store.settle([
        { claim, now: LATER, outcome: DELIVERED, attempt: anAttempt("delivered", "late") },
      ]);
      expect(await pushOf(store)).toMatchObject({ state: "pending", delivered: false, projection: null });
      expect((await store.invite("acme", "inv_1"))?.attempts.map(({ reason }) => reason)).toEqual(["late"]);
      await store.settle([{ claim: again, now: LATER, outcome: DELIVERED }]);
      expect((await pushOf(store))?.state).toBe("delivered");
    });

    test("settles a claim once: a second answer changes nothing", async () => {
      const { store, claim } = await claimed();
      await store.settle([{ claim, now: LATER, outcome: DELIVERED }]);
      await store.settle([{ claim, now: LATER, outcome: REJECTED }]);
      expect((await pushOf(store))?.state).toBe("delivered");
    });
  });
}
