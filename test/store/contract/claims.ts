import { describe, expect, test } from "vitest";
import { NOON } from "../../core/example.ts";
import { anEvent, completedFor, connect, MINUTE } from "../events.ts";
import { type OpenStore, opened } from "../world.ts";
import { claimsOf } from "../looks.ts";
import { claimedSubjects, claimOne } from "./delivering.ts";

const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export function describeClaims(open: OpenStore): void {
  describe("claim", () => {
    test("with a slot in a window takes both or neither", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      await store.append(completedFor("ann", "bob", "cyd"));
      const window = { key: "hubspot/4711", calls: 2, windowMs: 10_000, aheadMs: 100 };
      const claim = (limit: number, now: number) =>
        store.claim({ connectionId: id, limit, now, window: { ...window, now } });
      const later = NOON + MINUTE;
      const subjectsOf = async (limit: number, now = later) => {
        const { claims, slot } = await claim(limit, now);
        if (slot?.id) await store.endCall(slot.id, now);
        return [claims.map(({ subject }) => subject), slot?.at];
      };
      expect(await subjectsOf(1)).toEqual([["ann@example.com"], later]);
      expect(await subjectsOf(1, later + 1_000)).toEqual([["bob@example.com"], later + 1_000]);
      expect(await subjectsOf(1, later + 9_899)).toEqual([[], later + 10_000]);
      expect(await subjectsOf(5, later + 9_900)).toEqual([["cyd@example.com"], later + 10_000]);
      // Nothing is due, and no slot was taken for it.
      expect(await subjectsOf(5, later + 11_000)).toEqual([[], undefined]);
      const { id: taken, at } = await store.takeCall({ ...window, now: later + 11_000 });
      expect([taken, at]).toEqual([expect.any(Number), later + 11_000]);
    });

    test("gives what was due first, up to the limit, and nothing twice", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      await store.append(completedFor("cat", "ann", "bob"));
      const take = async () =>
        (await claimsOf(store, { connectionId: id, limit: 2, now: NOON + MINUTE })).map(
          ({ subject }) => subject,
        );
      expect(await take()).toEqual(["cat@example.com", "ann@example.com"]);
      expect(await take()).toEqual(["bob@example.com"]);
      expect(await take()).toEqual([]);
    });

    test("gives with a push all invites of its subject and the newest state among them", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      await store.append([
        anEvent("completed", { invitationId: "inv_1" }),
        anEvent("in_progress", { invitationId: "inv_2", at: NOON + MINUTE }),
      ]);
      const claim = await claimOne(store, id, NOON + MINUTE);
      expect(claim).toMatchObject({ subject: "ann@example.com", tries: 0, isQuarantined: false });
      expect(claim.invites.map(({ invitationId }) => invitationId).toSorted()).toEqual(["inv_1", "inv_2"]);
      expect(claim.carries).toBeGreaterThan(claim.version);
    });

    test("gives nothing before it is due", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      await store.append([anEvent("completed")]);
      expect(await claimedSubjects(store, id, NOON - 1)).toEqual([]);
      expect(await claimedSubjects(store, id, NOON)).toEqual(["ann@example.com"]);
    });

    test("gives only what belongs to the connection", async () => {
      const store = await opened(open);
      const acme = await connect(store);
      const other = await connect(store, { org: "other" });
      await store.append([anEvent("completed")]);
      expect(await claimedSubjects(store, other.id, NOON)).toEqual([]);
      expect(await claimedSubjects(store, acme.id, NOON)).toEqual(["ann@example.com"]);
    });

    test("lets a push that makes the vendor fail go by itself, in its turn, until it changes", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      await store.append(completedFor("ann", "bob", "cat"));
      const claims = await claimsOf(store, { connectionId: id, limit: 10, now: NOON + MINUTE });
      await store.settle(
        claims.map((claim) => ({
          claim,
          now: NOON + MINUTE,
          outcome: {
            kind: "pending",
            dueAt: NOON,
            counted: true,
            quarantine: claim.subject.startsWith("ann"),
          },
        })),
      );
      const claimed = await claimsOf(store, { connectionId: id, limit: 10, now: NOON + MINUTE });
      expect(claimed.map((claim) => [claim.subject, claim.isQuarantined])).toEqual([
        ["ann@example.com", true],
      ]);
      expect(await claimedSubjects(store, id, NOON + MINUTE)).toEqual(["bob@example.com", "cat@example.com"]);
      const [claim] = claimed;
      if (!claim) throw new Error("nothing was claimed");
      await store.raise(id, { subjects: ["ann@example.com"] }, NOON + MINUTE);
      const outcome = { kind: "pending", dueAt: NOON, counted: true, quarantine: true } as const;
      await store.settle([{ claim, now: NOON + MINUTE, outcome }]);
      expect(await claimOne(store, id, NOON + MINUTE)).toMatchObject({ isQuarantined: false });
    });
  });

  describe("dueWork", () => {
    test("names each connection with open pushes and when the first of them is due", async () => {
      const store = await opened(open);
      const acme = await connect(store);
      await connect(store, { org: "idle" });
      expect(await store.dueWork(NOON)).toEqual([]);
      await store.append(completedFor("ann", "bob"));
      expect(await store.dueWork(NOON)).toEqual([{ connectionId: acme.id, dueAt: NOON, connectedAt: null }]);
      const claim = await claimOne(store, acme.id, NOON);
      expect(await store.dueWork(NOON)).toEqual([
        { connectionId: acme.id, dueAt: NOON + 1, connectedAt: null },
      ]);
      const outcome = { kind: "pending", dueAt: NOON - MINUTE, counted: true } as const;
      await store.settle([{ claim, now: NOON, outcome }]);
      expect(await store.dueWork(NOON)).toEqual([
        { connectionId: acme.id, dueAt: NOON - MINUTE, connectedAt: null },
      ]);
    });

    test("names one connection alone where it is asked for", async () => {
      const store = await opened(open);
      const [acme, other, idle] = [
        await connect(store),
        await connect(store, { org: "other" }),
        await connect(store, { org: "idle" }),
      ];
      await store.append([...completedFor("ann"), anEvent("completed", { org: "other" })]);
      expect(await store.dueWork(NOON, acme.id)).toMatchObject([{ connectionId: acme.id }]);
      expect(await store.dueWork(NOON, other.id)).toMatchObject([{ connectionId: other.id }]);
      expect(await store.dueWork(NOON, idle.id)).toEqual([]);
      expect(await store.dueWork(NOON)).toHaveLength(2);
    });

    test("is due now where it was raised or put off while the clock was ahead", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      const ahead = NOON + 400 * DAY;
      const [raised, ...others] = completedFor("ann", "bob", "cat");
      if (!raised) throw new Error("there is no event");
      await store.append([{ ...raised, receivedAt: ahead }, ...others]);
      const dueAts = [NOON + 27 * HOUR, NOON + 25 * HOUR];
      const claims = await claimsOf(store, { connectionId: id, limit: 2, now: NOON + 2 });
      expect(claims.map(({ subject }) => subject)).toEqual(["bob@example.com", "cat@example.com"]);
      await store.settle(
        claims.map((claim, index) => {
          const outcome = { kind: "pending", dueAt: dueAts[index] ?? 0, counted: true } as const;
          return { claim, now: NOON, outcome };
        }),
      );
      const now = NOON + MINUTE;
      expect(await claimedSubjects(store, id, now)).toEqual([]);
      expect(await store.dueWork(now)).toEqual([{ connectionId: id, dueAt: now, connectedAt: null }]);
      const due = await claimsOf(store, { connectionId: id, limit: 9, now });
      expect(due.map(({ subject }) => subject).toSorted()).toEqual(["ann@example.com", "bob@example.com"]);
      // It backs off as any other from now on.
      const outcome = { kind: "pending", dueAt: now + MINUTE, counted: true } as const;
      await store.settle(due.map((claim) => ({ claim, now, outcome })));
      expect(await store.dueWork(now)).toMatchObject([{ dueAt: now + MINUTE }]);
    });

    test("leaves out what is in flight, and connections that are held", async () => {
      const store = await opened(open);
      const acme = await connect(store);
      const other = await connect(store, { org: "other" });
      await store.append([
        anEvent("completed"),
        anEvent("completed", { org: "other", eventId: "evt_other" }),
      ]);
      await claimOne(store, acme.id, NOON);
      await store.hold(other.id, { cause: "reconnect" });
      expect(await store.dueWork(NOON)).toEqual([]);
    });
  });
}
