import { describe, expect, test } from "vitest";
import type { SelectionPage, Store } from "../../../src/store/contract/store.ts";
import { aTest, NOON } from "../../core/example.ts";
import { anEvent, candidate, completedFor, connect, MINUTE, ORIGIN, SMARTRECRUITERS } from "../events.ts";
import { type OpenStore, opened } from "../world.ts";
import { anAttempt, claimOne, DELIVERED, REJECTED } from "./delivering.ts";

const [ANN, BOB, CAT] = ["ann@example.com", "bob@example.com", "cat@example.com"];

export function describeReruns(open: OpenStore): void {
  /** Ann was delivered at noon and Bob rejected a minute later; Cat is held, and Dan waits. */
  const withPushes = async () => {
    const store = await opened(open);
    const { id } = await connect(store);
    await store.append(completedFor("ann", "bob", "cat", "dan"));
    const settlements = [
      { outcome: DELIVERED, attempt: anAttempt("delivered", "ann"), now: NOON },
      { outcome: REJECTED, attempt: anAttempt("rejected", "bob"), now: NOON + MINUTE },
      {
        outcome: { kind: "held", cause: "property" } as const,
        attempt: anAttempt("held", "cat"),
        now: NOON + 2 * MINUTE,
      },
    ];
    for (const settlement of settlements)
      await store.settle([{ claim: await claimOne(store, id, NOON + MINUTE), ...settlement }]);
    return { store, id };
  };
  const all = { after: null, limit: 10 };

  describe("a replay's pushes", () => {
    test("are counted by state, and all but the held ones come in pages, each once", async () => {
      const { store, id } = await withPushes();
      expect(await store.countPushes({ connectionId: id })).toEqual({
        pending: 1,
        delivered: 1,
        rejected: 1,
        held: 1,
      });
      const pages = await pagesOf((after) => store.selectPushes({ connectionId: id }, { after, limit: 2 }));
      expect(pages.flat()).toEqual([ANN, BOB, "dan@example.com"]);
    });

    test("are chosen by state, address, invite and the time of the last attempt", async () => {
      const { store, id } = await withPushes();
      const chosen = async (selection: object) =>
        (await store.selectPushes({ connectionId: id, ...selection }, all)).subjects;
      expect(await chosen({ state: "rejected" })).toEqual([BOB]);
      expect(await chosen({ email: " Ann@Example.com" })).toEqual([ANN]);
      expect(await chosen({ invitationIds: ["inv_bob", "inv_dan"] })).toEqual([BOB, "dan@example.com"]);
      expect(await chosen({ since: NOON + MINUTE })).toEqual([BOB]);
      expect(await chosen({ since: NOON, until: NOON + MINUTE })).toEqual([ANN]);
      expect(await chosen({ invitationIds: [] })).toEqual([]);
    });
  });

  describe("what waits already", () => {
    const UNLIMITED = Number.POSITIVE_INFINITY;
    const startRun = (store: Store) =>
      store.startRun({ command: "replay", org: "acme", who: "ann", filter: {}, now: NOON });

    test("of a replay are the pushes that were in that state before they were raised; a run adopts them", async () => {
      const { store, id } = await withPushes();
      await store.raise(id, [ANN, BOB], NOON + 3 * MINUTE, await startRun(store));
      const waiting = (selection: object) =>
        store.countWaiting({ pushes: { connectionId: id, ...selection } });
      expect(await waiting({ state: "rejected" })).toBe(1);
      expect(await waiting({ state: "rejected", email: "ann@example.com" })).toBe(0);
      expect(await waiting({ state: "rejected", since: NOON + MINUTE })).toBe(1);
      expect(await waiting({ state: "rejected", until: NOON + MINUTE })).toBe(0);
      expect(await waiting({ state: "delivered", until: NOON + MINUTE })).toBe(1);
      for (const selection of [{}, { state: "pending" }, { state: "held" }])
        expect(await waiting(selection), JSON.stringify(selection)).toBe(0);

      const second = await startRun(store);
      const covered = { pushes: { connectionId: id, state: "rejected" } } as const;
      expect(await store.adopt(second, covered, UNLIMITED)).toBe(1);
      expect(await store.standing(second)).toEqual({ pending: 1, delivered: 0, rejected: 0, held: 0 });
      const claim = await claimOne(store, id, NOON + 3 * MINUTE);
      expect(claim.subject).toBe("dan@example.com");
    });

    test("of a replay is looked for by the attempt that ended it, not by those that only tried", async () => {
      const { store, id } = await withPushes();
      await store.raise(id, [BOB], NOON);
      const claim = await claimOne(store, id, NOON + MINUTE);
      expect(claim.subject).toBe(BOB);
      const later = { kind: "pending", dueAt: NOON, counted: true } as const;
      const now = NOON + 9 * MINUTE;
      await store.settle([{ claim, now, outcome: later, attempt: anAttempt("retry", "bob") }]);
      const selection = { connectionId: id, state: "rejected", until: NOON + 2 * MINUTE } as const;
      expect(await store.countWaiting({ pushes: selection })).toBe(1);
    });

    test("of a backfill are the pending pushes of the invites it is about, up to a limit", async () => {
      const { store, id } = await withPushes();
      const people = Array.from({ length: 1_200 }, (_, n) => `p${n}`);
      await store.append(completedFor(...people));
      const unpushed = { connectionId: id, includeInProgress: false };
      expect(await store.countWaiting({ unpushed })).toBe(1_201);
      expect(await store.countWaiting({ unpushed: { ...unpushed, since: NOON + MINUTE } })).toBe(0);
      const [some, all] = [await startRun(store), await startRun(store)];
      expect(await store.adopt(some, { unpushed }, 700)).toBe(700);
      expect(await store.standing(some)).toMatchObject({ pending: 700 });
      expect(await store.adopt(all, { unpushed }, UNLIMITED)).toBe(1_201);
      expect(await store.standing(all)).toEqual({ pending: 1_201, delivered: 0, rejected: 0, held: 0 });
      expect(await store.countWaiting({ unpushed })).toBe(1_201);
    });

    test("of assessments is found by the assessment", async () => {
      const store = await opened(open);
      const { id } = await connect(store, SMARTRECRUITERS);
      await store.append([anEvent("completed", { origin: ORIGIN })]);
      const unpushed = { connectionId: id, includeInProgress: false };
      expect(await store.countWaiting({ unpushed })).toBe(1);
    });
  });

  describe("a backfill's subjects", () => {
    test("are those that have something to tell at once and no push, in pages and by time", async () => {
      const store = await opened(open);
      await store.append([
        ...completedFor("ann", "bob"),
        anEvent("expired", {
          invitationId: "inv_1",
          candidate: candidate(CAT),
          tests: [aTest(), aTest({ status: "assigned" })],
          at: NOON + MINUTE,
        }),
        anEvent("in_progress", {
          invitationId: "inv_2",
          candidate: candidate("eve@example.com"),
          at: NOON + 2 * MINUTE,
        }),
        anEvent("invited", { invitationId: "inv_3", candidate: candidate("fay@example.com") }),
        anEvent("expired", { invitationId: "inv_4", candidate: candidate("gus@example.com") }),
      ]);
      const { id } = await connect(store);
      await store.raise(id, [BOB], NOON);
      const selection = { connectionId: id, includeInProgress: false };
      const pages = await pagesOf((after) => store.selectUnpushed(selection, { after, limit: 1 }));
      expect(pages.flat()).toEqual([ANN, CAT]);
      expect(await store.countUnpushed(selection)).toBe(2);
      const chosen = async (more: object) =>
        (await store.selectUnpushed({ ...selection, ...more }, all)).subjects;
      expect(await chosen({ includeInProgress: true })).toEqual([ANN, CAT, "eve@example.com"]);
      expect(await chosen({ since: NOON + MINUTE })).toEqual([CAT]);
      expect(await chosen({ until: NOON + MINUTE })).toEqual([ANN]);
    });
  });

  describe("runs", () => {
    test("are kept with who asked for what and what came of it, newest first", async () => {
      const store = await opened(open);
      const run = {
        command: "replay",
        org: "acme",
        who: "ann",
        filter: { status: "rejected" },
        now: NOON,
      } as const;
      const first = await store.startRun(run);
      const second = await store.startRun({ ...run, who: "bob", now: NOON + 1 });
      const counts = { matched: 3, queued: 2, skipped: 1, delivered: 2, rejected: 0 };
      await store.noteRun(first, counts, NOON + MINUTE);
      expect(await store.runs("acme", 10)).toMatchObject([
        { id: second, who: "bob", counts: null, startedAt: NOON + 1, endedAt: null },
        { id: first, who: "ann", filter: { status: "rejected" }, counts, endedAt: NOON + MINUTE },
      ]);
      expect(await store.runs("other", 10)).toEqual([]);
    });

    test("show how the pushes that they raised stand", async () => {
      const { store, id } = await withPushes();
      const run = await store.startRun({ command: "replay", org: "acme", who: "ann", filter: {}, now: NOON });
      await store.raise(id, [ANN, BOB, CAT], NOON + MINUTE, run);
      await store.settle([
        { claim: await claimOne(store, id, NOON + MINUTE), now: NOON, outcome: DELIVERED },
      ]);
      await store.settle([
        { claim: await claimOne(store, id, NOON + MINUTE), now: NOON, outcome: DELIVERED },
      ]);
      expect(await store.standing(run)).toEqual({ pending: 1, delivered: 1, rejected: 0, held: 1 });
    });

    test("tell what holds their pushes, and the connection's", async () => {
      const { store, id } = await withPushes();
      const run = await store.startRun({ command: "replay", org: "acme", who: "ann", filter: {}, now: NOON });
      await store.raise(id, [ANN, BOB], NOON, run);
      expect(await store.heldCauses(id, run)).toEqual({});
      await store.hold(id, "reconnect");
      expect(await store.heldCauses(id, run)).toEqual({ reconnect: 2 });
      expect(await store.heldCauses(id)).toEqual({ property: 1, reconnect: 3 });
    });
  });

  describe("attempts", () => {
    test("are listed oldest first, the last ones when there are too many, or those after one", async () => {
      const { store } = await withPushes();
      const reasons = async (query: object) =>
        (await store.attempts({ org: "acme", limit: 10, ...query })).map(({ reason }) => reason);
      expect(await reasons({})).toEqual(["ann", "bob", "cat"]);
      expect(await reasons({ limit: 2 })).toEqual(["bob", "cat"]);
      expect(await reasons({ org: "other" })).toEqual([]);
      const [first] = await store.attempts({ org: "acme", limit: 10 });
      expect(await reasons({ after: first?.id })).toEqual(["bob", "cat"]);
      expect(await reasons({ after: await store.lastAttempt() })).toEqual([]);
      expect(first).toMatchObject({
        vendor: "hubspot",
        subject: ANN,
        at: NOON,
        ...anAttempt("delivered", "ann"),
      });
    });

    test("are chosen by vendor, outcome, address and time", async () => {
      const { store } = await withPushes();
      const reasons = async (query: object) =>
        (await store.attempts({ org: "acme", limit: 10, ...query })).map(({ reason }) => reason);
      expect(await reasons({ vendor: "smartrecruiters" })).toEqual([]);
      expect(await reasons({ outcome: "rejected" })).toEqual(["bob"]);
      expect(await reasons({ email: "CAT@example.com" })).toEqual(["cat"]);
      expect(await reasons({ email: "CAT@example.com", outcome: "rejected" })).toEqual([]);
      expect(await reasons({ since: NOON + MINUTE, until: NOON + 2 * MINUTE })).toEqual(["bob"]);
    });

    test("name the newest invite of their subject, of an assessment the one that stands for it", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      const { id: assessments } = await connect(store, SMARTRECRUITERS);
      const ann = candidate(ANN);
      await store.append([
        anEvent("completed", { invitationId: "inv_new", candidate: ann, at: NOON + MINUTE }),
        anEvent("completed", { invitationId: "inv_old", candidate: ann, at: NOON, origin: ORIGIN }),
        anEvent("completed", {
          org: "other",
          invitationId: "inv_other",
          candidate: ann,
          at: NOON + 2 * MINUTE,
        }),
      ]);
      for (const connectionId of [id, assessments]) {
        const claim = await claimOne(store, connectionId, NOON + 3 * MINUTE);
        await store.settle([{ claim, now: NOON, outcome: DELIVERED, attempt: anAttempt("delivered") }]);
      }
      const named = async (query: object) =>
        (await store.attempts({ org: "acme", limit: 10, ...query })).map((attempt) => [
          attempt.vendor,
          attempt.invitationId,
        ]);
      expect(await named({})).toEqual([
        ["hubspot", "inv_new"],
        ["smartrecruiters", "inv_old"],
      ]);
      expect(await named({ email: ANN, limit: 1 })).toEqual([["smartrecruiters", "inv_old"]]);
    });

    test("and pushes of an applicant tracking system are found by the candidate's address too", async () => {
      const store = await opened(open);
      const { id } = await connect(store, SMARTRECRUITERS);
      await store.append([anEvent("completed", { origin: ORIGIN, candidate: candidate(ANN) })]);
      const claim = await claimOne(store, id, NOON + MINUTE);
      await store.settle([{ claim, now: NOON, outcome: DELIVERED, attempt: anAttempt("delivered", "ann") }]);
      const subjects = async (email: string) =>
        (await store.attempts({ org: "acme", limit: 10, email })).map(({ subject }) => subject);
      expect(await subjects(ANN)).toEqual([ORIGIN.assessmentId]);
      expect(await subjects(BOB)).toEqual([]);
      const replayed = async (email: string) =>
        (await store.selectPushes({ connectionId: id, email }, all)).subjects;
      expect(await replayed(ANN)).toEqual([ORIGIN.assessmentId]);
      expect(await replayed(BOB)).toEqual([]);
    });
  });
}

async function pagesOf(select: (after: string | null) => Promise<SelectionPage>): Promise<string[][]> {
  const pages: string[][] = [];
  for (let after: string | null | undefined; after !== null; ) {
    const page = await select(after ?? null);
    pages.push(page.subjects);
    after = page.next;
  }
  return pages;
}
