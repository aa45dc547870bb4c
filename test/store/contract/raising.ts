import { describe, expect, test } from "vitest";
import { NOON, aTest } from "../../core/example.ts";
import { anEvent, connect, MINUTE, SMARTRECRUITERS } from "../events.ts";
import { type OpenStore, opened, pushOf } from "../world.ts";
import { claimOne, DELIVERED, deliverAll } from "./delivering.ts";
import { claimsOf } from "../looks.ts";

export function describeRaising(open: OpenStore): void {
  describe("raising pushes", () => {
    test.each([
      ["completed", "pending"],
      ["in_progress", undefined],
      ["invited", undefined],
      ["expired", undefined],
      ["cancelled", undefined],
    ] as const)("makes of the first news that an invite is %s a push that is %s", async (status, state) => {
      const store = await opened(open);
      await connect(store);
      await store.append([anEvent(status)]);
      expect((await pushOf(store))?.state).toBe(state);
    });

    test.each(["expired", "cancelled"] as const)(
      "tells at once that an invite is %s when a test is completed",
      async (status) => {
        const store = await opened(open);
        await connect(store);
        await store.append([
          anEvent(status, { tests: [aTest(), aTest({ slug: "iq", status: "assigned" })] }),
        ]);
        expect(await pushOf(store)).toMatchObject({ state: "pending", pendingSince: NOON, dueAt: NOON });
      },
    );

    test("tells at once that an invite is expired when its contact was told something before", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      await store.append([anEvent("completed", { invitationId: "inv_before" })]);
      await deliverAll(store, id, NOON);
      await store.append([anEvent("expired", { at: NOON + MINUTE })]);
      expect((await pushOf(store))?.state).toBe("pending");
    });

    test("tells at once that an invite is expired when its contact is being told something right now", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      await store.append([anEvent("completed", { invitationId: "inv_before" })]);
      const claim = await claimOne(store, id, NOON);
      await store.append([anEvent("expired", { at: NOON + MINUTE })]);
      await store.settle([{ claim, now: NOON + MINUTE, outcome: DELIVERED }]);
      expect(await pushOf(store)).toMatchObject({ state: "pending", delivered: false });
    });

    test("leaves an invite in progress to the sweep even when its contact was told something before", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      await store.append([anEvent("completed", { invitationId: "inv_before" })]);
      await deliverAll(store, id, NOON);
      await store.append([anEvent("in_progress", { at: NOON + MINUTE })]);
      expect(await pushOf(store)).toMatchObject({ state: "delivered", delivered: false });
    });

    test("raises nothing for a connection that never had an account, for a sandbox, or for another org", async () => {
      const store = await opened(open);
      await store.saveConnection(SMARTRECRUITERS, { state: "waiting_for_consent" });
      await connect(store, { environment: "sandbox" });
      await connect(store, { org: "other" });
      await store.append([anEvent("completed", { origin: origin("as_1") })]);
      const { connections } = await store.overview("acme", NOON);
      expect(connections.map(({ pushes }) => pushes.pending)).toEqual([0, 0]);
      expect((await store.overview("other", NOON)).connections[0]?.pushes.pending).toBe(0);
    });

    test("raises for a connection that had an account and is disconnected", async () => {
      const store = await opened(open);
      await connect(store);
      await store.saveConnection({ ...SMARTRECRUITERS, vendor: "hubspot" }, { state: "not_connected" });
      await store.append([anEvent("completed")]);
      expect((await pushOf(store))?.state).toBe("pending");
    });

    test("tells a destination of assessments only of completed invites that came from one", async () => {
      const store = await opened(open);
      const { id } = await connect(store, SMARTRECRUITERS);
      await store.append([
        anEvent("completed", { invitationId: "inv_without" }),
        anEvent("expired", {
          invitationId: "inv_expired",
          origin: origin("as_2"),
          tests: [aTest(), aTest({ status: "assigned" })],
        }),
        anEvent("completed", { invitationId: "inv_1", origin: origin("as_1") }),
        anEvent("completed", {
          invitationId: "inv_others",
          origin: { ...origin("as_3"), vendor: "greenhouse" },
        }),
      ]);
      const claims = await claimsOf(store, { connectionId: id, limit: 10, now: NOON });
      expect(claims.map(({ subject }) => subject)).toEqual(["as_1"]);
    });

    test("lets newer news join a push that waits: one push, a higher version, waiting since the first", async () => {
      const store = await opened(open);
      await connect(store);
      await store.append([anEvent("completed")]);
      const first = await pushOf(store);
      await store.append([anEvent("completed", { at: NOON + MINUTE, resultUrl: "https://new.example" })]);
      const second = await pushOf(store);
      expect(second).toMatchObject({ state: "pending", pendingSince: NOON, dueAt: NOON });
      expect(second?.version).toBeGreaterThan(first?.version ?? Number.POSITIVE_INFINITY);
    });

    test("makes a push that was delivered or rejected pending again, waiting since the news", async () => {
      for (const outcome of ["delivered", "rejected"] as const) {
        const store = await opened(open);
        const { id } = await connect(store);
        await store.append([anEvent("completed")]);
        await deliverAll(store, id, NOON, outcome);
        expect(await pushOf(store)).toMatchObject({ state: outcome, pendingSince: null });
        await store.append([anEvent("completed", { at: NOON + MINUTE, resultUrl: "https://new.example" })]);
        expect(await pushOf(store)).toMatchObject({ state: "pending", pendingSince: NOON + MINUTE });
      }
    });
  });
}

function origin(assessmentId: string) {
  return { vendor: "smartrecruiters", candidateId: "c_1", jobId: null, assessmentId };
}
