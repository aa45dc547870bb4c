import { describe, expect, test } from "vitest";
import { NOON } from "../../core/example.ts";
import { anEvent, candidate, completedFor, connect, MINUTE } from "../events.ts";
import { type OpenStore, opened, pushOf } from "../world.ts";
import { claimedSubjects, claimOne, DELIVERED, deliverAll } from "./delivering.ts";
import { claimsOf } from "../looks.ts";

const LATER = NOON + 10 * MINUTE;

export function describeHolds(open: OpenStore): void {
  const withPushes = async (...names: string[]) => {
    const store = await opened(open);
    const { id } = await connect(store);
    await store.append(completedFor(...names));
    return { store, id };
  };

  describe("release of what was put off", () => {
    test("makes due what was put off, and leaves what is held, in flight or due anyway", async () => {
      const { store, id } = await withPushes("ann", "bob", "cat", "dan");
      const [ann, bob] = await claimsOf(store, { connectionId: id, limit: 3, now: LATER });
      if (!ann || !bob) throw new Error("nothing was claimed");
      const putOff = { kind: "pending", dueAt: LATER + MINUTE, counted: true } as const;
      await store.settle([
        { claim: ann, now: LATER, outcome: putOff },
        { claim: bob, now: LATER, outcome: { kind: "held", cause: "property" } },
      ]);
      expect(await store.release(id, { putOff: true }, LATER)).toBe(1);
      expect(await pushOf(store, "inv_ann")).toMatchObject({ state: "pending", dueAt: LATER });
      expect(await pushOf(store, "inv_bob")).toMatchObject({ state: "held" });
      expect(await claimedSubjects(store, id, LATER)).toEqual(["dan@example.com", "ann@example.com"]);
    });
  });

  describe("what is held as gone", () => {
    const withGone = async () => {
      const { store, id } = await withPushes("ann", "bob", "cat");
      await deliverAll(store, id, LATER);
      await store.raise(id, { subjects: ["ann@example.com", "bob@example.com"] }, LATER);
      const claims = await claimsOf(store, { connectionId: id, limit: 3, now: LATER });
      expect(claims.map(({ wasDelivered }) => wasDelivered)).toEqual([true, true]);
      for (const claim of claims)
        await store.settle([{ claim, now: LATER, outcome: { kind: "held", cause: "gone" } }]);
      return { store, id };
    };

    test("is released one by one, with all that the vendor held before", async () => {
      const { store, id } = await withGone();
      const subjects = ["bob@example.com", "cat@example.com"];
      expect(await store.release(id, { held: ["gone"], subjects }, LATER)).toBe(1);
      expect(await pushOf(store, "inv_ann")).toMatchObject({ state: "held", heldCause: "gone" });
      const claim = await claimOne(store, id, LATER);
      expect(claim).toMatchObject({ subject: "bob@example.com", wasDelivered: true });
    });

    test("leaves other subjects of a connection that is held held", async () => {
      const { store, id } = await withGone();
      await store.hold(id, { cause: "reconnect" });
      await store.release(id, { held: ["gone", "reconnect"], subjects: ["bob@example.com"] }, LATER);
      expect(await claimedSubjects(store, id, LATER)).toEqual([]);
    });

    test("is raised anew only where that is asked for, and counts as never told from then on", async () => {
      const { store, id } = await withGone();
      const subjects = ["ann@example.com"];
      await store.raise(id, { subjects }, LATER);
      expect(await claimedSubjects(store, id, LATER)).toEqual([]);
      await store.raise(id, { subjects, recreates: true }, LATER);
      expect(await claimOne(store, id, LATER)).toMatchObject({
        subject: "ann@example.com",
        wasDelivered: false,
      });
    });

    test("waits for the login first, where that is lost", async () => {
      const { store, id } = await withGone();
      await store.hold(id, { cause: "reconnect" });
      await store.raise(id, { subjects: ["ann@example.com"], recreates: true }, LATER);
      expect(await pushOf(store, "inv_ann")).toMatchObject({ state: "held", heldCause: "gone" });
    });
  });

  describe("hold and release", () => {
    test("keep back what is open and what is to come, until the cure comes", async () => {
      const { store, id } = await withPushes("ann", "bob");
      expect(await store.hold(id, { cause: "reconnect" })).toBe(2);
      await store.append(completedFor("cat"));
      await store.raise(id, { subjects: ["ann@example.com"] }, LATER);
      expect(await claimedSubjects(store, id, LATER)).toEqual([]);
      expect(await pushOf(store, "inv_cat")).toMatchObject({ state: "held", heldCause: "reconnect" });
      expect(await store.release(id, { held: ["reconnect"] }, LATER)).toBe(3);
      expect(await pushOf(store, "inv_ann")).toMatchObject({
        state: "pending",
        heldCause: null,
        dueAt: LATER,
        pendingSince: NOON,
      });
      expect(await claimedSubjects(store, id, LATER)).toHaveLength(3);
      await store.append(completedFor("dan"));
      expect((await pushOf(store, "inv_dan"))?.state).toBe("pending");
    });

    test("leave what is held for another cause", async () => {
      const { store, id } = await withPushes("ann");
      await store.hold(id, { cause: "vault" });
      expect(await store.release(id, { held: ["reconnect", "property"] }, LATER)).toBe(0);
      expect((await pushOf(store, "inv_ann"))?.heldCause).toBe("vault");
    });

    test("free a single push by the cure of its own cause", async () => {
      const { store, id } = await withPushes("ann");
      const claim = await claimOne(store, id, NOON);
      await store.settle([{ claim, now: NOON, outcome: { kind: "held", cause: "property" } }]);
      expect(await store.release(id, { held: ["property"] }, LATER)).toBe(1);
      expect(await claimedSubjects(store, id, LATER)).toEqual(["ann@example.com"]);
    });

    test("give a freed push over to the cause that stands on its connection", async () => {
      const { store, id } = await withPushes("ann");
      const claim = await claimOne(store, id, NOON);
      await store.settle([{ claim, now: NOON, outcome: { kind: "held", cause: "property" } }]);
      await store.hold(id, { cause: "reconnect" });
      await store.release(id, { held: ["property"] }, LATER);
      expect(await pushOf(store, "inv_ann")).toMatchObject({ state: "held", heldCause: "reconnect" });
      await store.release(id, { held: ["reconnect"] }, LATER);
      expect(await claimedSubjects(store, id, LATER)).toEqual(["ann@example.com"]);
    });

    test.each(["reconnect", "scope", "property", "vault", "disconnected"] as const)(
      "open the connection again after a hold for %s",
      async (cause) => {
        const { store, id } = await withPushes("ann");
        await store.hold(id, { cause });
        await store.release(id, { held: [cause] }, LATER);
        expect(await store.dueWork(LATER)).toEqual([{ connectionId: id, dueAt: LATER, connectedAt: null }]);
      },
    );

    test("for refused tokens change a connection only while it stands by the consent they came from", async () => {
      const { store, id } = await withPushes("ann");
      const [key] = (await store.connections()).map((known) => ({ ...known, subject: "contact" }) as const);
      if (!key) throw new Error("there is no connection");
      const changes = { state: "must_reconnect", banner: "reconnect" } as const;
      const refuse = (connectedAt: number | null) =>
        store.hold(id, { cause: "reconnect", connectedAt, changes });
      const stand = async () => (await store.connections())[0];

      await store.saveConnection(key, { connectedAt: LATER });
      expect(await refuse(NOON)).toBe(null);
      expect(await stand()).toMatchObject({ state: "connected", banner: null });
      await store.hold(id, { cause: "disconnected" });
      expect(await refuse(LATER)).toBe(null);
      await store.saveConnection(key, { state: "not_connected" });
      await store.release(id, { held: ["disconnected"] }, LATER);
      expect(await refuse(LATER)).toBe(null);
      expect(await stand()).toMatchObject({ state: "not_connected", banner: null });
      expect((await pushOf(store, "inv_ann"))?.state).toBe("pending");

      await store.saveConnection(key, { state: "connected" });
      expect(await refuse(LATER)).toBe(1);
      expect(await stand()).toMatchObject({ ...changes, connectedAt: LATER });
      expect(await pushOf(store, "inv_ann")).toMatchObject({ state: "held", heldCause: "reconnect" });
    });

    test("for an unreadable vault give way to a reconnect, and are forgotten with their release", async () => {
      const { store, id } = await withPushes("ann");
      const vaultTrouble = { since: NOON, reason: "locked", fix: null };
      const lock = () => store.hold(id, { cause: "vault", connectedAt: null, changes: { vaultTrouble } });
      expect([await lock(), await lock()]).toEqual([1, null]);
      expect(await store.connections()).toMatchObject([{ state: "connected", vaultTrouble }]);
      await store.release(id, { held: ["vault"] }, LATER);
      expect(await store.connections()).toMatchObject([{ vaultTrouble: null }]);

      await lock();
      const changes = { state: "must_reconnect" } as const;
      await store.hold(id, { cause: "reconnect", connectedAt: null, changes });
      await store.release(id, { held: ["vault"] }, LATER);
      expect(await pushOf(store, "inv_ann")).toMatchObject({ state: "held", heldCause: "reconnect" });
      expect(await lock()).toBe(null);
    });

    test("let the answer to a call under way still count", async () => {
      const { store, id } = await withPushes("ann");
      const claim = await claimOne(store, id, NOON);
      await store.hold(id, { cause: "disconnected" });
      await store.settle([{ claim, now: LATER, outcome: DELIVERED }]);
      expect((await pushOf(store, "inv_ann"))?.state).toBe("delivered");
    });

    test("keep a push that was in flight and has newer news held, for their cause", async () => {
      const { store, id } = await withPushes("ann");
      const claim = await claimOne(store, id, NOON);
      await store.hold(id, { cause: "reconnect" });
      const news = { invitationId: "inv_ann", candidate: candidate(claim.subject), at: NOON + MINUTE };
      await store.append([anEvent("completed", news)]);
      await store.settle([{ claim, now: LATER, outcome: DELIVERED }]);
      expect(await pushOf(store, "inv_ann")).toMatchObject({
        state: "held",
        heldCause: "reconnect",
        pendingSince: NOON + MINUTE,
      });
      expect(await store.release(id, { held: ["reconnect"] }, LATER)).toBe(1);
    });

    test("keep a push held that was to be tried again", async () => {
      const { store, id } = await withPushes("ann");
      const claim = await claimOne(store, id, NOON);
      await store.hold(id, { cause: "reconnect" });
      const outcome = { kind: "pending", dueAt: NOON, counted: false } as const;
      await store.settle([{ claim, now: NOON, outcome }]);
      expect((await pushOf(store, "inv_ann"))?.state).toBe("held");
    });

    test("begin the count of tries anew", async () => {
      const { store, id } = await withPushes("ann");
      const claim = await claimOne(store, id, NOON);
      const outcome = { kind: "pending", dueAt: NOON, counted: true } as const;
      await store.settle([{ claim, now: NOON, outcome }]);
      await store.hold(id, { cause: "vault" });
      await store.release(id, { held: ["vault"] }, LATER);
      expect((await claimOne(store, id, LATER)).tries).toBe(0);
    });

    test("reach every push of a large connection", async () => {
      const { store, id } = await withPushes();
      const names = Array.from({ length: 2_500 }, (_, n) => `n${n}@example.com`);
      await store.raise(id, { subjects: names }, NOON);
      expect(await store.hold(id, { cause: "reconnect" })).toBe(2_500);
      expect(await store.release(id, { held: ["reconnect"] }, NOON)).toBe(2_500);
      expect(await claimedSubjects(store, id, NOON)).toHaveLength(100);
    });
  });
}
