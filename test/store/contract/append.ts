import { describe, expect, test } from "vitest";
import { NOON } from "../../core/example.ts";
import {
  anEvent,
  anUnknownEvent,
  anUnstorableEvent,
  candidate,
  completedFor,
  connect,
  MINUTE,
} from "../events.ts";
import { type OpenStore, opened, pushOf } from "../world.ts";
import { claimsOf } from "../looks.ts";

export function describeAppend(open: OpenStore): void {
  describe("append", () => {
    test("stores an event once, however often it comes", async () => {
      const store = await opened(open);
      const event = anEvent("completed");
      expect(await store.append([event, event])).toEqual([
        { outcome: "stored", conflict: false },
        { outcome: "known", conflict: false },
      ]);
      expect(await store.append([event])).toEqual([{ outcome: "known", conflict: false }]);
      expect((await store.overview("acme", NOON)).events.total).toBe(1);
    });

    test("stores the same id with another body too, flags it and folds it", async () => {
      const store = await opened(open);
      const first = anEvent("in_progress", { eventId: "evt_1" });
      const second = anEvent("completed", { eventId: "evt_1", at: NOON + MINUTE });
      await store.append([first]);
      expect(await store.append([second])).toEqual([{ outcome: "stored", conflict: true }]);
      const history = await store.invite("acme", "inv_1");
      expect(history?.invite.status).toBe("completed");
      expect(history?.events.map(({ eventId, conflict }) => [eventId, conflict])).toEqual([
        ["evt_1", false],
        ["evt_1", true],
      ]);
    });

    test("counts a conflict once, however often its bodies come again", async () => {
      const store = await opened(open);
      const bodies = ["one", "two"].map((note) => anEvent("completed", { eventId: "evt_1", note }));
      await store.append(bodies);
      expect(await store.append(bodies)).toEqual([
        { outcome: "known", conflict: true },
        { outcome: "known", conflict: true },
      ]);
      expect((await store.overview("acme", NOON)).events).toMatchObject({ total: 2, conflicts: 1 });
    });

    test("takes the same id of another source for another event", async () => {
      const store = await opened(open);
      const event = anEvent("completed");
      const results = await store.append([event, { ...event, source: "smartrecruiters" }]);
      expect(results.map(({ outcome }) => outcome)).toEqual(["stored", "stored"]);
    });

    test("stores an event of an unknown type and does nothing else with it", async () => {
      const store = await opened(open);
      await connect(store);
      expect(await store.append([anUnknownEvent("evt_1")])).toEqual([{ outcome: "stored", conflict: false }]);
      expect(await store.overview("acme", NOON)).toMatchObject({
        events: { total: 1, ignored: 1 },
        invites: 0,
        connections: [{ pushes: { pending: 0 } }],
      });
    });

    test("lets an event that cannot be stored fail alone, with nothing of it left behind", async () => {
      const store = await opened(open);
      await connect(store);
      const [ann, bob] = completedFor("ann", "bob");
      const results = await store.append(
        [ann, anUnstorableEvent("bad"), bob].flatMap((event) => event ?? []),
      );
      expect(results.map(({ outcome }) => outcome)).toEqual(["stored", "failed", "stored"]);
      expect(await store.overview("acme", NOON)).toMatchObject({
        events: { total: 2 },
        invites: 2,
        connections: [{ pushes: { pending: 2 } }],
      });
      expect(await store.invite("acme", "inv_bad")).toBeNull();
    });

    test("makes the same invite of its snapshots in whatever order they come", async () => {
      const events = [
        anEvent("invited", { at: NOON }),
        anEvent("in_progress", { at: NOON + MINUTE }),
        anEvent("completed", { at: NOON + 2 * MINUTE }),
      ];
      for (const order of [events, events.toReversed()]) {
        const store = await opened(open);
        for (const event of order) await store.append([event]);
        expect((await store.invite("acme", "inv_1"))?.invite).toMatchObject({
          status: "completed",
          at: NOON + 2 * MINUTE,
          earliestAt: NOON,
        });
      }
    });

    test("does not raise a push again for a snapshot that is older than what is known", async () => {
      const store = await opened(open);
      await connect(store);
      await store.append([anEvent("completed", { at: NOON + MINUTE })]);
      const before = await pushOf(store);
      await store.append([anEvent("in_progress", { at: NOON })]);
      expect(await pushOf(store)).toEqual(before);
    });

    test("pushes the contact again when an older snapshot changes which invite speaks for it", async () => {
      const store = await opened(open);
      await connect(store);
      const inviteOf = (invitationId: string, at: number) => anEvent("completed", { invitationId, at });
      await store.append([inviteOf("inv_1", NOON), inviteOf("inv_2", NOON + MINUTE)]);
      const before = await pushOf(store);
      await store.append([anEvent("invited", { invitationId: "inv_2", at: NOON - MINUTE })]);
      const after = await pushOf(store);
      expect(after?.version).toBeGreaterThan(before?.version ?? Number.POSITIVE_INFINITY);
    });

    test("pushes the new contact of an invite whose e-mail changed, and leaves the old one's push", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      await store.append([
        anEvent("completed", { candidate: candidate("old@example.com") }),
        anEvent("completed", { candidate: candidate(" New@Example.com"), at: NOON + MINUTE }),
      ]);
      const claims = await claimsOf(store, { connectionId: id, limit: 10, now: NOON + MINUTE });
      expect(claims.map(({ subject, invites }) => [subject, invites.length])).toEqual([
        ["old@example.com", 0],
        ["new@example.com", 1],
      ]);
    });

    test("stores nothing and answers nothing for no events", async () => {
      const store = await opened(open);
      expect(await store.append([])).toEqual([]);
    });
  });
}
