import { describe, expect, test } from "vitest";
import type { NewRun, SelectionPage, Store } from "../../../src/store/contract/store.ts";
import { aTest, NOON } from "../../core/example.ts";
import { anEvent, candidate, completedFor, connect, MINUTE, ORIGIN, SMARTRECRUITERS } from "../events.ts";
import { type OpenStore, opened } from "../world.ts";
import { anAttempt, claimOne, DELIVERED, REJECTED } from "./delivering.ts";
import { attemptsOf, heldFor, standing, unpushed, waiting } from "../looks.ts";

const [ANN, BOB, CAT] = ["ann@example.com", "bob@example.com", "cat@example.com"];

const RUN: NewRun = { command: "replay", org: "acme", who: "ann", filter: {}, now: NOON };

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
    test("are those held for a cause, where that is asked for, and no others", async () => {
      const { store, id } = await withPushes();
      const ofCause = (heldFor: "property" | "gone") => ({ pushes: { connectionId: id, heldFor } });
      expect(await store.countPushes(ofCause("property"))).toMatchObject({
        held: 1,
        pending: 0,
        delivered: 0,
      });
      expect((await store.selectSubjects(ofCause("property"), all)).subjects).toEqual([CAT]);
      expect((await store.selectSubjects(ofCause("gone"), all)).subjects).toEqual([]);
    });

    test("are counted by state, and all but the held ones come in pages, each once", async () => {
      const { store, id } = await withPushes();
      const pushes = { connectionId: id };
      const counts = { pending: 1, delivered: 1, rejected: 1, held: 1 };
      expect(await store.countPushes({ pushes })).toMatchObject(counts);
      expect(await store.countPushes({ pushes: { ...pushes, since: NOON + MINUTE } })).toMatchObject({
        ...counts,
        pending: 0,
        delivered: 0,
      });
      const pages = await pagesOf((after) => store.selectSubjects({ pushes }, { after, limit: 2 }));
      expect(pages.flat()).toEqual([ANN, BOB, "dan@example.com"]);
    });

    test("are chosen by state, address, invite and the time of the last attempt", async () => {
      const { store, id } = await withPushes();
      const chosen = async (selection: object) =>
        (await store.selectSubjects({ pushes: { connectionId: id, ...selection } }, all)).subjects;
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
    const startRun = (store: Store, adopts?: NewRun["adopts"]) =>
      store.saveRun({ ...RUN, ...(adopts ? { adopts } : {}) });

    test("of a replay are the pushes that were in that state before they were raised; a run adopts them", async () => {
      const { store, id } = await withPushes();
      const { id: runId } = await startRun(store);
      await store.raise(id, { subjects: [ANN, BOB], runId }, NOON + 3 * MINUTE);
      const ofReplay = (selection: object) => waiting(store, { pushes: { connectionId: id, ...selection } });
      expect(await ofReplay({ state: "rejected" })).toBe(1);
      expect(await ofReplay({ state: "rejected", email: "ann@example.com" })).toBe(0);
      expect(await ofReplay({ state: "rejected", since: NOON + MINUTE })).toBe(1);
      expect(await ofReplay({ state: "rejected", until: NOON + MINUTE })).toBe(0);
      expect(await ofReplay({ state: "delivered", until: NOON + MINUTE })).toBe(1);
      for (const selection of [{}, { state: "pending" }, { state: "held" }])
        expect(await ofReplay(selection), JSON.stringify(selection)).toBe(0);

      const covered = { pushes: { connectionId: id, state: "rejected" } } as const;
      const second = await startRun(store, { selections: [covered], limit: UNLIMITED });
      expect(second.adopted).toBe(1);
      expect(await standing(store, second.id)).toEqual({ pending: 1, delivered: 0, rejected: 0, held: 0 });
      const claim = await claimOne(store, id, NOON + 3 * MINUTE);
      expect(claim.subject).toBe("dan@example.com");
    });

    test("of a replay is looked for by the attempt that ended it, not by those that only tried", async () => {
      const { store, id } = await withPushes();
      await store.raise(id, { subjects: [BOB] }, NOON);
      const claim = await claimOne(store, id, NOON + MINUTE);
      expect(claim.subject).toBe(BOB);
      const later = { kind: "pending", dueAt: NOON, counted: true } as const;
      const now = NOON + 9 * MINUTE;
      await store.settle([{ claim, now, outcome: later, attempt: anAttempt("retry", "bob") }]);
      const selection = { connectionId: id, state: "rejected", until: NOON + 2 * MINUTE } as const;
      expect(await waiting(store, { pushes: selection })).toBe(1);
    });

    test("of a backfill are the pending pushes of the invites it is about, up to a limit", async () => {
      const { store, id } = await withPushes();
      const people = Array.from({ length: 1_200 }, (_, n) => `p${n}`);
      await store.append(completedFor(...people));
      const unpushed = { connectionId: id, includeInProgress: false };
      expect(await waiting(store, { unpushed })).toBe(1_201);
      expect(await waiting(store, { unpushed: { ...unpushed, since: NOON + MINUTE } })).toBe(0);
      const some = await startRun(store, { selections: [{ unpushed }, { unpushed }], limit: 700 });
      expect(some.adopted).toBe(700);
      expect(await standing(store, some.id)).toMatchObject({ pending: 700 });
      const all = await startRun(store, { selections: [{ unpushed }], limit: UNLIMITED });
      expect(all.adopted).toBe(1_201);
      expect(await standing(store, all.id)).toEqual({ pending: 1_201, delivered: 0, rejected: 0, held: 0 });
      expect(await waiting(store, { unpushed })).toBe(1_201);
    });

    test("of assessments is found by the assessment", async () => {
      const store = await opened(open);
      const { id } = await connect(store, SMARTRECRUITERS);
      await store.append([anEvent("completed", { origin: ORIGIN })]);
      const unpushed = { connectionId: id, includeInProgress: false };
      expect(await waiting(store, { unpushed })).toBe(1);
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
      await store.raise(id, { subjects: [BOB] }, NOON);
      const selection = { connectionId: id, includeInProgress: false };
      const pages = await pagesOf((after) =>
        store.selectSubjects({ unpushed: selection }, { after, limit: 1 }),
      );
      expect(pages.flat()).toEqual([ANN, CAT]);
      expect(await unpushed(store, selection)).toBe(2);
      const chosen = async (more: object) =>
        (await store.selectSubjects({ unpushed: { ...selection, ...more } }, all)).subjects;
      expect(await chosen({ includeInProgress: true })).toEqual([ANN, CAT, "eve@example.com"]);
      expect(await chosen({ since: NOON + MINUTE })).toEqual([CAT]);
      expect(await chosen({ until: NOON + MINUTE })).toEqual([ANN]);
    });
  });

  describe("runs", () => {
    test("are kept with who asked for what and what came of it, newest first", async () => {
      const store = await opened(open);
      const run = { ...RUN, filter: { status: "rejected" } };
      const { id: first } = await store.saveRun(run);
      const { id: second } = await store.saveRun({ ...run, who: "bob", now: NOON + 1 });
      const counts = { matched: 3, queued: 2, skipped: 1, delivered: 2, rejected: 0 };
      await store.saveRun({ id: first, counts, endedAt: NOON + MINUTE });
      expect(await store.runs("acme", 10)).toMatchObject([
        { id: second, who: "bob", counts: null, startedAt: NOON + 1, endedAt: null },
        { id: first, who: "ann", filter: { status: "rejected" }, counts, endedAt: NOON + MINUTE },
      ]);
      expect(await store.runs("other", 10)).toEqual([]);
    });

    test("note an address only while the org holds something of it, in whatever case it is typed", async () => {
      const { store } = await withPushes();
      const noted = async (org: string, email: string) => {
        await store.saveRun({ ...RUN, org, filter: { email, status: "held" } });
        return (await store.runs(org, 1))[0]?.filter;
      };
      expect(await noted("acme", ANN)).toEqual({ email: ANN, status: "held" });
      expect(await noted("acme", ANN.toUpperCase())).toEqual({ email: ANN.toUpperCase(), status: "held" });
      expect(await noted("acme", "gone@example.com")).toEqual({ email: "[not held]", status: "held" });
      expect(await noted("globex", ANN)).toEqual({ email: "[not held]", status: "held" });
    });

    test("show how the pushes that they raised stand", async () => {
      const { store, id } = await withPushes();
      const { id: runId } = await store.saveRun(RUN);
      await store.raise(id, { subjects: [ANN, BOB, CAT], runId }, NOON + MINUTE);
      await store.settle([
        { claim: await claimOne(store, id, NOON + MINUTE), now: NOON, outcome: DELIVERED },
      ]);
      await store.settle([
        { claim: await claimOne(store, id, NOON + MINUTE), now: NOON, outcome: DELIVERED },
      ]);
      expect(await standing(store, runId)).toEqual({ pending: 1, delivered: 1, rejected: 0, held: 1 });
    });

    test("tell what holds their pushes, and the connection's", async () => {
      const { store, id } = await withPushes();
      const { id: runId } = await store.saveRun(RUN);
      await store.raise(id, { subjects: [ANN, BOB], runId }, NOON);
      const [ofRun, ofConnection] = [
        { run: { id: runId, connectionId: id } },
        { pushes: { connectionId: id } },
      ];
      expect(await heldFor(store, ofRun)).toEqual({});
      await store.hold(id, { cause: "reconnect" });
      expect(await heldFor(store, ofRun)).toEqual({ reconnect: 2 });
      expect(await heldFor(store, { run: { id: runId, connectionId: id + 1 } })).toEqual({});
      expect(await heldFor(store, { run: { id: runId } })).toEqual({ reconnect: 2 });
      expect(await heldFor(store, ofConnection)).toEqual({ property: 1, reconnect: 3 });
    });
  });

  describe("attempts", () => {
    test("are listed oldest first, the last ones when there are too many, or those after one", async () => {
      const { store } = await withPushes();
      const reasons = async (query: object) =>
        (await attemptsOf(store, { org: "acme", limit: 10, ...query })).map(({ reason }) => reason);
      expect(await reasons({})).toEqual(["ann", "bob", "cat"]);
      expect(await reasons({ limit: 2 })).toEqual(["bob", "cat"]);
      expect(await reasons({ org: "other" })).toEqual([]);
      const [first] = await attemptsOf(store, { org: "acme", limit: 10 });
      expect(await reasons({ after: first?.id })).toEqual(["bob", "cat"]);
      expect(await reasons({ after: (await store.attempts({ org: "other", limit: 1 })).newest })).toEqual([]);
      expect(first).toMatchObject({
        vendor: "hubspot",
        subject: ANN,
        at: NOON,
        ...anAttempt("delivered", "ann"),
      });
    });

    test("are chosen by vendor, outcome, address, invite and time", async () => {
      const { store } = await withPushes();
      const reasons = async (query: object) =>
        (await attemptsOf(store, { org: "acme", limit: 10, ...query })).map(({ reason }) => reason);
      expect(await reasons({ vendor: "smartrecruiters" })).toEqual([]);
      expect(await reasons({ outcome: "rejected" })).toEqual(["bob"]);
      expect(await reasons({ email: "CAT@example.com" })).toEqual(["cat"]);
      expect(await reasons({ email: "CAT@example.com", outcome: "rejected" })).toEqual([]);
      expect(await reasons({ invitationId: "inv_bob" })).toEqual(["bob"]);
      expect(await reasons({ invitationId: "inv_bob", outcome: "delivered" })).toEqual([]);
      expect(await reasons({ invitationId: "inv_none" })).toEqual([]);
      const of = { org: "acme", invitationId: "inv_bob" };
      expect(await store.countAttempts(of, 10)).toBe(1);
      expect(await store.attemptSums(of)).toMatchObject([{ outcome: "rejected", attempts: 1 }]);
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
        (await attemptsOf(store, { org: "acme", limit: 10, ...query })).map((attempt) => [
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
        (await attemptsOf(store, { org: "acme", limit: 10, email })).map(({ subject }) => subject);
      expect(await subjects(ANN)).toEqual([ORIGIN.assessmentId]);
      expect(await subjects(BOB)).toEqual([]);
      const replayed = async (email: string) =>
        (await store.selectSubjects({ pushes: { connectionId: id, email } }, all)).subjects;
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
