import { describe, expect, test } from "vitest";
import type { Store } from "../../../src/store/contract/store.ts";
import { NOON } from "../../core/example.ts";
import {
  anEvent,
  candidate,
  completedFor,
  connect,
  MINUTE,
  SMARTRECRUITERS,
  anotherAccount,
} from "../events.ts";
import { type OpenStore, opened, pushOf } from "../world.ts";
import { claimedSubjects, claimOne, DELIVERED, deliverAll } from "./delivering.ts";
import { unpushed } from "../looks.ts";

const LATER = NOON + 10 * MINUTE;
const ANN = "ann@example.com";

export function describeMarks(open: OpenStore): void {
  const delivered = async (...names: string[]) => {
    const store = await opened(open);
    const { id } = await connect(store);
    await store.append(completedFor(...names));
    await deliverAll(store, id, NOON + MINUTE);
    return { store, id };
  };

  describe("subjects", () => {
    test("come in pages, each once, with their invites and what is known of their push", async () => {
      const store = await opened(open);
      await store.append(completedFor("bob", "ann"));
      const { id } = await connect(store);
      await store.append([
        ...completedFor("cat"),
        anEvent("in_progress", { invitationId: "inv_2", candidate: candidate(ANN) }),
      ]);
      const pages = await allPages(store, { connectionId: id, limit: 2 });
      expect(pages.map((page) => page.map(({ subject }) => subject))).toEqual([
        [ANN, "bob@example.com"],
        ["cat@example.com"],
      ]);
      const [ann, bob, cat] = pages.flat();
      expect(ann?.invites).toHaveLength(2);
      expect([ann?.push, bob?.push, cat?.push?.state]).toEqual([null, null, "pending"]);
      expect(cat?.carries).toBe(cat?.push?.version);
    });

    test("can be asked for by the status of one of their invites", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      await store.append([
        ...completedFor("ann", "bob"),
        anEvent("in_progress", { invitationId: "inv_2", candidate: candidate(ANN) }),
        anEvent("in_progress", {
          invitationId: "inv_3",
          org: "other",
          candidate: candidate("x@example.com"),
        }),
      ]);
      const named = async (status: "in_progress" | "completed" | "expired") =>
        (await allPages(store, { connectionId: id, status, limit: 10 })).flat().map(({ subject }) => subject);
      expect(await named("in_progress")).toEqual([ANN]);
      expect(await named("completed")).toEqual([ANN, "bob@example.com"]);
      expect(await named("expired")).toEqual([]);
    });

    test("are assessments for a destination that keys by them", async () => {
      const store = await opened(open);
      const { id } = await connect(store, SMARTRECRUITERS);
      const origin = { vendor: "smartrecruiters", candidateId: "c", jobId: null, assessmentId: "as_1" };
      await store.append([...completedFor("ann"), anEvent("completed", { origin })]);
      const [page] = await allPages(store, { connectionId: id, limit: 10 });
      expect(page?.map(({ subject }) => subject)).toEqual(["as_1"]);
    });
  });

  describe("raise", () => {
    test("makes due what was delivered, what waits for later, and what never was", async () => {
      const { store, id } = await delivered("ann", "bob");
      await store.append([
        anEvent("completed", {
          invitationId: "inv_bob",
          candidate: candidate("bob@example.com"),
          at: NOON + MINUTE,
        }),
      ]);
      const claim = await claimOne(store, id, NOON + MINUTE);
      await store.settle([{ claim, now: NOON, outcome: { kind: "pending", dueAt: LATER, counted: true } }]);
      const subjects = [ANN, "bob@example.com", "new@example.com"];
      expect(await store.raise(id, { subjects: subjects }, NOON + 2 * MINUTE)).toBe(3);
      expect((await claimedSubjects(store, id, NOON + 2 * MINUTE)).toSorted()).toEqual(subjects);
    });

    test("does not push back what is due already", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      await store.append(completedFor("ann"));
      await store.raise(id, { subjects: [ANN] }, LATER);
      expect(await pushOf(store, "inv_ann")).toMatchObject({ dueAt: NOON, pendingSince: NOON });
    });

    test("moves the version of a push in flight", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      await store.append(completedFor("ann"));
      const claim = await claimOne(store, id, NOON);
      await store.raise(id, { subjects: [ANN] }, LATER);
      await store.settle([{ claim, now: LATER, outcome: DELIVERED }]);
      expect(await pushOf(store, "inv_ann")).toMatchObject({ state: "pending", pendingSince: LATER });
    });
  });

  describe("a comparison", () => {
    test("counts an invite as delivered whose news changed nothing that the destination holds", async () => {
      const { store, id } = await delivered("ann");
      await store.append([anEvent("in_progress", { candidate: candidate(ANN), at: NOON + MINUTE })]);
      expect((await pushOf(store))?.delivered).toBe(false);
      const [page] = await allPages(store, { connectionId: id, limit: 10 });
      await store.raise(id, { subjects: [], current: page ?? [] }, NOON);
      expect(await pushOf(store)).toMatchObject({ state: "delivered", delivered: true });
    });

    test("changes nothing once there is newer news", async () => {
      const { store, id } = await delivered("ann");
      await store.append([anEvent("in_progress", { candidate: candidate(ANN), at: NOON + MINUTE })]);
      const [page] = await allPages(store, { connectionId: id, limit: 10 });
      await store.append([anEvent("completed", { candidate: candidate(ANN), at: LATER })]);
      await store.raise(id, { subjects: [], current: page ?? [] }, NOON);
      expect(await pushOf(store)).toMatchObject({ state: "pending", delivered: false });
    });
  });

  describe("another account", () => {
    test("counts what was delivered or rejected as never pushed, and leaves what is open due", async () => {
      const { store, id } = await delivered("ann");
      await store.append(completedFor("bob"));
      await deliverAll(store, id, LATER, "rejected");
      await store.append(completedFor("cat"));
      await anotherAccount(store);
      expect(await pushOf(store, "inv_ann")).toBeUndefined();
      expect(await pushOf(store, "inv_bob")).toBeUndefined();
      expect(await unpushed(store, { connectionId: id, includeInProgress: false })).toBe(2);
      expect((await store.overview("acme", NOON)).connections[0]?.pushes).toEqual({
        pending: 1,
        delivered: 0,
        rejected: 0,
        held: 0,
      });
      expect(await claimedSubjects(store, id, LATER)).toEqual(["cat@example.com"]);
    });

    test("starts a forgotten push afresh once it is raised", async () => {
      const { store, id } = await delivered("ann");
      await anotherAccount(store);
      await store.raise(id, { subjects: [ANN] }, LATER);
      expect(await pushOf(store, "inv_ann")).toMatchObject({
        state: "pending",
        deliveredVersion: 0,
        pendingSince: LATER,
        projection: null,
      });
    });

    test("reaches every push of a large connection, and no other connection's", async () => {
      const { store, id } = await delivered("ann");
      const other = await connect(store, { org: "other" });
      const names = Array.from({ length: 2_500 }, (_, n) => `n${n}@example.com`);
      for (const connectionId of [id, other.id]) await store.raise(connectionId, { subjects: names }, NOON);
      for (let left = 2_500; left > 0; left -= 100) await deliverAll(store, other.id, NOON);
      await anotherAccount(store);
      expect(await pushOf(store, "inv_ann")).toBeUndefined();
      expect((await store.overview("acme", NOON)).connections[0]?.pushes).toMatchObject({ pending: 2_500 });
      expect((await store.overview("other", NOON)).connections[0]?.pushes).toMatchObject({
        delivered: 2_500,
      });
    });
  });

  describe("the count of what has no push", () => {
    test("counts contacts with something to tell that have no push", async () => {
      const store = await opened(open);
      await store.append([
        ...completedFor("ann", "bob"),
        anEvent("in_progress", { invitationId: "inv_2", candidate: candidate("bob@example.com") }),
        anEvent("invited", { invitationId: "inv_3", candidate: candidate("cat@example.com") }),
        anEvent("completed", { invitationId: "inv_4", org: "other" }),
      ]);
      const { id } = await connect(store);
      expect(await unpushed(store, { connectionId: id, includeInProgress: false })).toBe(2);
      await store.raise(id, { subjects: [ANN] }, NOON);
      expect(await unpushed(store, { connectionId: id, includeInProgress: false })).toBe(1);
    });

    test("counts assessments that are completed for a destination that keys by them", async () => {
      const store = await opened(open);
      const origin = (assessmentId: string) => ({
        vendor: "smartrecruiters",
        candidateId: "c",
        jobId: null,
        assessmentId,
      });
      await store.append([
        anEvent("completed", { invitationId: "inv_1", origin: origin("as_1") }),
        anEvent("completed", { invitationId: "inv_2", origin: origin("as_1") }),
        anEvent("in_progress", { invitationId: "inv_3", origin: origin("as_2") }),
        anEvent("completed", { invitationId: "inv_4" }),
      ]);
      const { id } = await connect(store, SMARTRECRUITERS);
      expect(await unpushed(store, { connectionId: id, includeInProgress: false })).toBe(1);
    });
  });
}

async function allPages(store: Store, query: Parameters<Store["subjects"]>[0]) {
  const pages = [];
  for (let after: string | null = ""; after !== null; ) {
    const page = await store.subjects({ ...query, after });
    pages.push(page.subjects);
    after = page.next;
  }
  return pages;
}
