import { describe, expect, test } from "vitest";
import { NOON } from "../../core/example.ts";
import { anEvent, anUnknownEvent, candidate, completedFor, connect, MINUTE } from "../events.ts";
import { type OpenStore, opened } from "../world.ts";
import { anAttempt, claimOne, DELIVERED } from "./delivering.ts";

export function describeReads(open: OpenStore): void {
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

    test("calls a push stuck that waited longer than 30 minutes", async () => {
      const store = await opened(open);
      await connect(store);
      await store.append([anEvent("completed")]);
      const stuckAt = async (now: number) => (await store.overview("acme", now)).connections[0]?.pushes.stuck;
      expect(await stuckAt(NOON + 30 * MINUTE)).toBe(0);
      expect(await stuckAt(NOON + 30 * MINUTE + 1)).toBe(1);
    });
  });
}
