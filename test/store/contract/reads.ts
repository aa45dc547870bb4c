import { describe, expect, test } from "vitest";
import { MAX_TRIES } from "../../../src/core/delivery/retry.ts";
import type { SettleOutcome } from "../../../src/store/contract/store.ts";
import { NOON } from "../../core/example.ts";
import { anEvent, anUnknownEvent, candidate, completedFor, connect, MINUTE, ORIGIN } from "../events.ts";
import { type OpenStore, opened } from "../world.ts";
import { anAttempt, claimOne, DELIVERED } from "./delivering.ts";
import { claimsOf, orgsIn, stuckOf } from "../looks.ts";

export function describeReads(open: OpenStore): void {
  describe("figures", () => {
    test("count pushes by connection and state, name the longest waiting, and look into windows", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      const window = { key: "hubspot/4711", calls: 100, windowMs: 10_000, aheadMs: 0 };
      const none = await store.figures({ now: NOON, windows: [window] });
      expect(none).toEqual({ pushes: [], oldestPending: [], calls: [0] });
      await store.append(completedFor("ann", "bob"));
      const claim = await claimOne(store, id, NOON + MINUTE);
      await store.settle([{ claim, now: NOON, outcome: DELIVERED }]);
      for (const now of [NOON - 20_000, NOON - 5_000]) {
        const slot = await store.takeCall({ ...window, now });
        if (slot.id !== null) await store.endCall(slot.id, now);
      }
      await store.takeCall({ ...window, now: NOON });
      const other = { key: "hubspot/4712", windowMs: 10_000 };
      const found = await store.figures({ now: NOON, windows: [other, window] });
      expect(found.pushes).toEqual([
        { connectionId: id, state: "delivered", n: 1 },
        { connectionId: id, state: "pending", n: 1 },
      ]);
      expect(claim.pendingSince).toBe(NOON);
      expect(found.oldestPending).toEqual([{ connectionId: id, since: NOON + 1 }]);
      expect(found.calls).toEqual([0, 2]);
    });
  });

  describe("invites", () => {
    test("lists an org's invites newest first, as many as asked for", async () => {
      const store = await opened(open);
      await store.append([...completedFor("ann", "bob", "cat"), anEvent("completed", { org: "other" })]);
      const list = async (query: object) =>
        (await store.invites({ org: "acme", limit: 10, ...query })).map(({ invite }) => invite.invitationId);
      expect(await list({})).toEqual(["inv_cat", "inv_bob", "inv_ann"]);
      expect(await list({ limit: 2 })).toEqual(["inv_cat", "inv_bob"]);
      expect(await list({ org: "nobody" })).toEqual([]);
    });

    test("lists by status and by e-mail address, however it is written", async () => {
      const store = await opened(open);
      await store.append([
        ...completedFor("ann", "bob"),
        anEvent("in_progress", {
          invitationId: "inv_2",
          candidate: candidate("Ann@example.com"),
          at: NOON + MINUTE,
        }),
      ]);
      const list = async (query: object) =>
        (await store.invites({ org: "acme", limit: 10, ...query })).map(({ invite }) => invite.invitationId);
      expect(await list({ status: "in_progress" })).toEqual(["inv_2"]);
      expect(await list({ email: " ANN@example.com" })).toEqual(["inv_2", "inv_ann"]);
      expect(await list({ email: "ann@example.com", status: "completed" })).toEqual(["inv_ann"]);
    });

    test("counts those that a vendor's assessment asked for", async () => {
      const store = await opened(open);
      await store.append([
        ...completedFor("ann"),
        anEvent("completed", { invitationId: "inv_2", origin: ORIGIN }),
      ]);
      const asked = async (askedBy: string) => await store.countInvites({ org: "acme", askedBy }, 10);
      expect([await asked("smartrecruiters"), await asked("hubspot")]).toEqual([1, 0]);
    });

    test("tells of each destination whether it has what the invite now says", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      await store.append(completedFor("ann", "bob"));
      const claim = await claimOne(store, id, NOON + MINUTE);
      await store.settle([{ claim, now: NOON, outcome: DELIVERED }]);
      const found = await store.invites({ org: "acme", limit: 10 });
      expect(found.map(({ pushes }) => pushes.map(({ vendor, delivered }) => [vendor, delivered]))).toEqual([
        [["hubspot", false]],
        [["hubspot", true]],
      ]);
    });
  });

  describe("invite", () => {
    test("shows the events, pushes and attempts of one invite in the order they came", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      await store.append([
        anEvent("completed", { at: NOON + MINUTE, receivedAt: NOON + 2 * MINUTE }),
        anEvent("in_progress", { at: NOON, receivedAt: NOON + 3 * MINUTE }),
      ]);
      for (const reason of ["first", "second"]) {
        const claim = await claimOne(store, id, NOON + 5 * MINUTE);
        const outcome = { kind: "pending", dueAt: NOON, counted: true } as const;
        await store.settle([{ claim, now: NOON, outcome, attempt: anAttempt("retry", reason) }]);
      }
      const history = await store.invite("acme", "inv_1");
      expect(history?.events.map(({ type, at, receivedAt }) => [type, at, receivedAt])).toEqual([
        ["invite.completed", NOON + MINUTE, NOON + 2 * MINUTE],
        ["invite.in_progress", NOON, NOON + 3 * MINUTE],
      ]);
      expect(history?.pushes).toMatchObject([{ vendor: "hubspot", state: "pending" }]);
      expect(history?.attempts).toMatchObject([
        { ...anAttempt("retry", "first"), vendor: "hubspot", at: NOON },
        { ...anAttempt("retry", "second"), vendor: "hubspot", at: NOON },
      ]);
    });

    test("is null for an id that nobody knows, or another org's", async () => {
      const store = await opened(open);
      await store.append([anEvent("completed")]);
      expect(await store.invite("acme", "inv_2")).toBeNull();
      expect(await store.invite("other", "inv_1")).toBeNull();
    });
  });

  describe("overview", () => {
    test("counts the whole log's events, and the org's own invites and pushes", async () => {
      const store = await opened(open);
      await connect(store);
      await connect(store, { org: "other" });
      await store.append([
        ...completedFor("ann", "bob"),
        anEvent("invited", { org: "other" }),
        anUnknownEvent("evt_ignored"),
      ]);
      const overview = await store.overview("acme", NOON);
      expect(overview).toMatchObject({
        events: { total: 4, ignored: 1, unmatched: 0, conflicts: 0 },
        invites: 2,
      });
      expect(overview.connections.map(({ connection, pushes }) => [connection.org, pushes.pending])).toEqual([
        ["acme", 2],
      ]);
    });
  });

  describe("stuck", () => {
    const NONE = { waiting: 0, failing: 0, quarantined: 0, property: 0, scope: 0, candidate: 0 };

    test("is a push that waited longer than 30 minutes", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      await store.append([anEvent("completed")]);
      expect(await stuckOf(store, id, NOON + 30 * MINUTE)).toEqual(NONE);
      expect(await stuckOf(store, id, NOON + 30 * MINUTE + 1)).toEqual({ ...NONE, waiting: 1 });
    });

    test("tells by what stands in the way, and leaves out what waits for tokens", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      await store.append(completedFor("ann", "bob", "cat", "dan", "eve"));
      const soon = NOON + MINUTE;
      const endings = new Map<string, SettleOutcome>([
        ["ann@example.com", { kind: "held", cause: "property" }],
        ["bob@example.com", { kind: "held", cause: "scope" }],
        ["cat@example.com", { kind: "pending", dueAt: soon, counted: true, quarantine: true }],
        ["dan@example.com", { kind: "pending", dueAt: soon, counted: true }],
      ]);
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        // One in quarantine is not claimed with the others.
        const claims = [
          ...(await claimsOf(store, { connectionId: id, limit: 10, now: soon })),
          ...(await claimsOf(store, { connectionId: id, limit: 10, now: soon })),
        ];
        await store.settle(
          claims.map((claim) => {
            const untried: SettleOutcome = { kind: "pending", dueAt: soon, counted: false };
            return { claim, now: soon, outcome: endings.get(claim.subject) ?? untried };
          }),
        );
      }
      const later = NOON + 32 * MINUTE;
      expect(await stuckOf(store, id, NOON + 30 * MINUTE)).toEqual(NONE);
      expect(await stuckOf(store, id, later)).toEqual({
        waiting: 1,
        failing: 1,
        quarantined: 1,
        property: 1,
        scope: 1,
        candidate: 0,
      });
      await store.hold(id, { cause: "reconnect" });
      expect(await stuckOf(store, id, later)).toEqual({ ...NONE, property: 1, scope: 1 });
    });

    test("counts every one of very many that are held", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      const names = Array.from({ length: 12_000 }, (_, n) => `person-${n}`);
      for (let from = 0; from < names.length; from += 500)
        await store.append(completedFor(...names.slice(from, from + 500)));
      await store.hold(id, { cause: "property" });
      expect(await stuckOf(store, id, NOON + 31 * MINUTE)).toEqual({ ...NONE, property: 12_000 });
    });
  });

  describe("orgs", () => {
    test("are those with a connection or an invite", async () => {
      const store = await opened(open);
      expect(await orgsIn(store, NOON)).toEqual([]);
      await connect(store, { org: "globex" });
      await store.append([anEvent("invited", { org: "acme" })]);
      expect(await orgsIn(store, NOON)).toEqual(["acme", "globex"]);
    });
  });
}
