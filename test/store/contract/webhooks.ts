import { describe, expect, test } from "vitest";
import type { Store } from "../../../src/store/contract/store.ts";
import { aSnapshot, aTest, NOON } from "../../core/example.ts";
import {
  aConfirmation,
  anEvent,
  aThinEvent,
  connect,
  HUBSPOT,
  MINUTE,
  ORIGIN,
  SMARTRECRUITERS,
} from "../events.ts";
import { type OpenStore, opened } from "../world.ts";
import { claimsOf, orgsIn, unpushed } from "../looks.ts";
import { deliverAll } from "./delivering.ts";

const RESULT = { score: 101 };
const UNTAKEN = [aTest({ slug: "iq-test", status: "assigned" })];

/** The webhooks of a vendor that asked for assessments, and what they do to invites. */
export function describeWebhooks(open: OpenStore): void {
  describe("a vendor's word on an assessment", () => {
    test("is tied to the invite that names candidate and assessment, or is named by it", async () => {
      for (const told of [{}, { invitationId: "inv_1", candidateId: "of another name" }]) {
        const store = await opened(open);
        await store.append([anEvent("completed", { origin: ORIGIN }), aConfirmation("evt_1", told)]);
        expect(await receivedOf(store)).toMatchObject([{ isMatched: true, invitationId: "inv_1" }]);
        expect(await unmatchedOf(store)).toBe(0);
        const events = (await store.invite("acme", "inv_1"))?.events;
        expect(events?.map(({ source }) => source)).toEqual(["jobcannon", "smartrecruiters"]);
      }
    });

    test("waits for its invite, is counted and listed, and is tied to it when it comes", async () => {
      for (const told of [{}, { invitationId: "inv_1" }]) {
        const store = await opened(open);
        await store.append([aConfirmation("evt_1", told)]);
        expect(await unmatchedOf(store)).toBe(1);
        expect(await receivedOf(store, { unmatched: true })).toHaveLength(1);
        const named = "invitationId" in told ? 1 : 0;
        expect(await receivedOf(store, { invitationId: "inv_1" })).toHaveLength(named);
        await store.append([anEvent("completed", { origin: ORIGIN })]);
        expect(await unmatchedOf(store)).toBe(0);
        expect(await receivedOf(store, { unmatched: true })).toEqual([]);
        expect(await receivedOf(store, { invitationId: "inv_1" })).toHaveLength(1);
        expect(await receivedOf(store, { invitationId: "inv_2" })).toEqual([]);
        expect(await receivedOf(store)).toMatchObject([{ isMatched: true, invitationId: "inv_1" }]);
      }
    });

    test("stays unmatched by an invite of another org, another candidate or another vendor", async () => {
      const store = await opened(open);
      await store.append([aConfirmation("evt_1")]);
      await store.append([
        anEvent("completed", { org: "other", origin: ORIGIN }),
        anEvent("completed", { invitationId: "inv_2", origin: { ...ORIGIN, candidateId: "c2" } }),
        anEvent("completed", { invitationId: "inv_3", origin: { ...ORIGIN, vendor: "greenhouse" } }),
      ]);
      expect(await unmatchedOf(store)).toBe(1);
    });

    test("is stored once, however often it is delivered", async () => {
      const store = await opened(open);
      const told = aConfirmation("evt_1");
      await store.append([told, told]);
      expect(await store.append([told])).toEqual([{ outcome: "known", conflict: false }]);
      expect(await receivedOf(store)).toHaveLength(1);
      expect((await store.overview("acme", NOON)).events).toMatchObject({ total: 1, ignored: 0 });
    });

    test("raises nothing where it says what the invite has already, so that our own write-back makes no loop", async () => {
      const store = await opened(open);
      const { id } = await connect(store, SMARTRECRUITERS);
      await store.append([
        anEvent("completed", { origin: ORIGIN, tests: [aTest({ slug: "iq-test", result: RESULT })] }),
      ]);
      await deliverAll(store, id, NOON);
      await store.append([aConfirmation("evt_1", { result: RESULT, at: NOON + MINUTE })]);
      expect(await store.questions({ after: 0, limit: 10 })).toEqual([]);
      expect((await store.overview("acme", NOON)).connections[0]?.pushes).toMatchObject({
        delivered: 1,
        pending: 0,
      });
    });

    test("that nobody can answer now does not hide what was asked later", async () => {
      const store = await opened(open);
      const asked = (name: string) => ({ ...ORIGIN, assessmentId: name });
      await store.append(
        ["a1", "a2"].flatMap((name) => [
          anEvent("invited", { invitationId: name, origin: asked(name), tests: UNTAKEN, at: NOON - MINUTE }),
          aConfirmation(`evt_${name}`, { ...asked(name), result: RESULT }),
        ]),
      );
      const [first] = await store.questions({ after: 0, limit: 1 });
      expect(first?.about.assessmentId).toBe("a1");
      const next = await store.questions({ after: first?.seq ?? 0, limit: 1 });
      expect(next).toMatchObject([{ about: { assessmentId: "a2" } }]);
    });

    test("with a result that we lack asks which test it is about; the answer completes the invite", async () => {
      const store = await opened(open);
      await connect(store, HUBSPOT);
      await connect(store, SMARTRECRUITERS);
      await store.append([
        anEvent("invited", { origin: ORIGIN, tests: UNTAKEN, at: NOON - MINUTE }),
        aConfirmation("evt_1", { result: RESULT }),
      ]);
      const [question] = await store.questions({ after: 0, limit: 10 });
      expect(question).toMatchObject({
        ...{ vendor: "smartrecruiters", org: "acme", environment: "production", tries: 0 },
        about: { candidateId: "c1", assessmentId: "a1" },
      });
      await store.settleQuestion(question?.seq ?? 0, { kind: "test", test: "iq-test" }, NOON);
      expect(await store.questions({ after: 0, limit: 10 })).toEqual([]);
      expect((await store.invite("acme", "inv_1"))?.invite).toMatchObject({
        status: "completed",
        completedAt: NOON,
        tests: [{ slug: "iq-test", status: "completed", result: RESULT }],
      });
      const { connections } = await store.overview("acme", NOON);
      expect(connections.map(({ pushes }) => pushes.pending)).toEqual([1, 1]);
    });

    test("that tells of no completion is kept and tied, and changes nothing, whatever result it carries", async () => {
      for (const status of ["EXPIRED", "REJECTED", "PENDING", "IN_PROGRESS", "expired", "incompleted", ""]) {
        const invite = anEvent("invited", { origin: ORIGIN, tests: UNTAKEN, at: NOON - MINUTE });
        const word = aConfirmation("evt_1", { result: RESULT, status });
        for (const events of [
          [invite, word],
          [word, invite],
        ]) {
          const store = await opened(open);
          await connect(store, HUBSPOT);
          await connect(store, SMARTRECRUITERS);
          for (const event of events) await store.append([event]);
          expect(await store.questions({ after: 0, limit: 10 })).toEqual([]);
          const history = await store.invite("acme", "inv_1");
          expect(history?.invite.status).toBe("invited");
          expect(history?.events.map(({ told }) => told)).toEqual(
            events.map((event) => (event === word ? status : null)),
          );
          expect(await receivedOf(store)).toMatchObject([
            { status, isCompletion: false, hasResult: true, isMatched: true, invitationId: "inv_1" },
          ]);
          const { connections } = await store.overview("acme", NOON);
          expect(connections.map(({ pushes }) => pushes.pending)).toEqual([0, 0]);
        }
      }
    });

    test("that tells of a completion does so in whatever letters its vendor writes it", async () => {
      for (const status of ["COMPLETED", "Completed", "completed"]) {
        const store = await opened(open);
        await store.append([
          anEvent("invited", { origin: ORIGIN, tests: UNTAKEN, at: NOON - MINUTE }),
          aConfirmation("evt_1", { result: RESULT, status }),
        ]);
        expect(await store.questions({ after: 0, limit: 10 })).toHaveLength(1);
        expect(await receivedOf(store)).toMatchObject([{ isCompletion: true }]);
      }
    });

    test("asks no more when the vendor does not know the test, or the invite does not have it", async () => {
      for (const answer of [null, "eq"]) {
        const store = await opened(open);
        await store.append([
          anEvent("invited", { origin: ORIGIN, tests: UNTAKEN }),
          aConfirmation("evt_1", { result: RESULT }),
        ]);
        const [question] = await store.questions({ after: 0, limit: 10 });
        await store.settleQuestion(question?.seq ?? 0, { kind: "test", test: answer }, NOON);
        expect(await store.questions({ after: 0, limit: 10 })).toEqual([]);
        expect((await store.invite("acme", "inv_1"))?.invite.status).toBe("invited");
      }
    });

    test("gives a result that stays until a snapshot carries that test's own", async () => {
      const store = await opened(open);
      await store.append([
        anEvent("invited", { origin: ORIGIN, tests: UNTAKEN, at: NOON - MINUTE }),
        aConfirmation("evt_1", { result: RESULT }),
      ]);
      const [question] = await store.questions({ after: 0, limit: 10 });
      await store.settleQuestion(question?.seq ?? 0, { kind: "test", test: "iq-test" }, NOON);
      const resultNow = async () => (await store.invite("acme", "inv_1"))?.invite.tests[0]?.result;
      const started = [aTest({ slug: "iq-test", status: "started" })];
      await store.append([anEvent("in_progress", { origin: ORIGIN, tests: started, at: NOON + MINUTE })]);
      expect(await resultNow()).toEqual(RESULT);
      const own = [aTest({ slug: "iq-test", result: { score: 99 } })];
      await store.append([anEvent("completed", { origin: ORIGIN, tests: own, at: NOON + 2 * MINUTE })]);
      expect(await resultNow()).toEqual({ score: 99 });
    });
  });

  describe("an event that only names what happened", () => {
    const all = { after: 0, limit: 10 };
    const found = (changes: Parameters<typeof aSnapshot>[0] = {}) =>
      ({ kind: "snapshot", snapshot: aSnapshot({ tests: [], ...changes }) }) as const;

    test("is stored and leaves a question; the answer is folded as if the event had said it", async () => {
      const store = await opened(open);
      await connect(store, HUBSPOT);
      await store.append([aThinEvent("evt_1")]);
      const [question] = await store.questions(all);
      expect(question).toEqual({
        ...{ seq: expect.any(Number), vendor: "greenhouse", org: "acme", environment: "production" },
        ...{ about: { application: "evt_1" }, at: NOON, tries: 0 },
      });
      expect((await store.overview("acme", NOON)).events).toMatchObject({ total: 1, ignored: 0 });
      await store.settleQuestion(question?.seq ?? 0, found(), NOON + MINUTE);
      expect(await store.questions(all)).toEqual([]);
      const history = await store.invite("acme", "inv_1");
      expect(history?.invite).toMatchObject({ status: "completed", tests: [] });
      expect(history?.events.map(({ eventId }) => eventId)).toEqual(["evt_1"]);
      expect((await store.overview("acme", NOON)).connections[0]?.pushes.pending).toBe(1);
    });

    test("is asked about once, however often it comes and its answer is told", async () => {
      const store = await opened(open);
      await store.append([aThinEvent("evt_1"), aThinEvent("evt_1")]);
      const [question, ...more] = await store.questions(all);
      expect(more).toEqual([]);
      await store.settleQuestion(question?.seq ?? 0, found(), NOON);
      await store.settleQuestion(question?.seq ?? 0, found({ invitationId: "inv_2" }), NOON);
      await store.append([aThinEvent("evt_1")]);
      expect(await store.questions(all)).toEqual([]);
      expect(await store.invite("acme", "inv_2")).toBeNull();
      expect((await store.overview("acme", NOON)).events.total).toBe(1);
    });

    test("that the vendor knows nothing of is ignored, and counted so", async () => {
      const store = await opened(open);
      await store.append([aThinEvent("evt_1")]);
      const [question] = await store.questions(all);
      await store.settleQuestion(question?.seq ?? 0, { kind: "nothing" }, NOON);
      expect(await store.questions(all)).toEqual([]);
      expect((await store.overview("acme", NOON)).events).toMatchObject({ total: 1, ignored: 1 });
    });

    test("that cannot be looked up now comes back at its time, with its reason; only its own failures count", async () => {
      const store = await opened(open);
      await store.append([aThinEvent("evt_1")]);
      const [{ seq } = { seq: 0 }] = await store.questions(all);
      const later = { kind: "later", dueAt: NOON + MINUTE, reason: "no key" } as const;
      await store.settleQuestion(seq, { ...later, isCounted: false }, NOON);
      expect(await store.questions({ ...all, dueBy: NOON + MINUTE - 1 })).toEqual([]);
      expect(await store.questions({ ...all, dueBy: NOON + MINUTE })).toMatchObject([{ seq, tries: 0 }]);
      await store.settleQuestion(seq, { ...later, isCounted: true }, NOON);
      expect(await store.questions(all)).toMatchObject([{ tries: 1 }]);
      expect((await store.overview("acme", NOON)).questions).toEqual([
        { org: "acme", vendor: "greenhouse", environment: "production", n: 1, since: NOON, reason: "no key" },
      ]);
      expect(await orgsIn(store, NOON)).toEqual(["acme"]);
    });

    test("is listed for its account alone where that is asked for", async () => {
      const store = await opened(open);
      await store.append([
        aThinEvent("evt_1"),
        aThinEvent("evt_2", { org: "globex" }),
        aThinEvent("evt_3", { environment: "sandbox" }),
        aThinEvent("evt_4", { vendor: "lever" }),
      ]);
      const of = { org: "acme", vendor: "greenhouse", environment: "production" } as const;
      expect(await store.questions({ ...all, of })).toMatchObject([{ about: { application: "evt_1" } }]);
      expect(await store.questions(all)).toHaveLength(4);
    });

    test("brings the invite that a vendor's word waited for", async () => {
      const store = await opened(open);
      await store.append([aConfirmation("evt_c"), aThinEvent("evt_1")]);
      const [question] = await store.questions(all);
      await store.settleQuestion(question?.seq ?? 0, found({ origin: ORIGIN }), NOON);
      expect(await receivedOf(store)).toMatchObject([{ isMatched: true, invitationId: "inv_1" }]);
    });
  });

  describe("a trial in a vendor's sandbox", () => {
    test("raises the sandbox connection of that vendor and nothing in production", async () => {
      const store = await opened(open);
      await connect(store, HUBSPOT);
      await connect(store, SMARTRECRUITERS);
      const sandbox = await connect(store, { ...SMARTRECRUITERS, environment: "sandbox" });
      await connect(store, { ...HUBSPOT, environment: "sandbox" });
      await store.startTrial({ org: "acme", vendor: "smartrecruiters", candidateId: "c1" });
      await store.append([anEvent("completed", { origin: ORIGIN })]);
      expect((await store.dueWork(NOON)).map(({ connectionId }) => connectionId)).toEqual([sandbox.id]);
      const [claim] = await claimsOf(store, { connectionId: sandbox.id, limit: 10, now: NOON });
      expect(claim?.invites.map(({ invitationId }) => invitationId)).toEqual(["inv_1"]);
      const found = await store.invites({ org: "acme", assessmentId: "a1", limit: 10 });
      expect(found.map(({ invite }) => invite.invitationId)).toEqual(["inv_1"]);
      expect(await store.invites({ org: "acme", assessmentId: "a2", limit: 10 })).toEqual([]);
    });

    test("is no contact that a sweep, a resync or a backfill of production finds", async () => {
      const store = await opened(open);
      const hubspot = await connect(store, HUBSPOT);
      const ats = await connect(store, SMARTRECRUITERS);
      await store.startTrial({ org: "acme", vendor: "smartrecruiters", candidateId: "c1" });
      await store.append([
        anEvent("completed", { origin: ORIGIN }),
        anEvent("in_progress", { invitationId: "inv_2", origin: { ...ORIGIN, assessmentId: "a2" } }),
      ]);
      const found = await store.subjects({ connectionId: hubspot.id, limit: 10 });
      expect(found.subjects).toEqual([]);
      for (const { id } of [hubspot, ats])
        expect(await unpushed(store, { connectionId: id, includeInProgress: true })).toBe(0);
    });

    test("is confirmed by the sandbox's webhooks alone", async () => {
      const store = await opened(open);
      await store.startTrial({ org: "acme", vendor: "smartrecruiters", candidateId: "c1" });
      await store.append([
        anEvent("completed", { origin: ORIGIN }),
        aConfirmation("evt_1"),
        aConfirmation("evt_2", { environment: "sandbox" }),
      ]);
      expect(await unmatchedOf(store)).toBe(1);
      expect(await receivedOf(store, { environment: "sandbox" })).toMatchObject([{ isMatched: true }]);
    });
  });

  describe("refusals", () => {
    const ONE = {
      ...{ source: "smartrecruiters", reason: "no fit", kind: "signature" as const },
      ...{ n: 1, settled: 0 },
    };

    test("are counted by minute and reason, each source for itself", async () => {
      const store = await opened(open);
      const note = (reason: string, n = 1) => ({ ...ONE, reason, n });
      await store.noteRefusals([note("no fit", 2), note("missing")], NOON);
      await store.noteRefusals([note("no fit", 3)], NOON + 1_000);
      await store.noteRefusals([note("no fit")], NOON + MINUTE);
      expect(await store.refusals("smartrecruiters", 0, 10)).toEqual([
        { ...ONE, at: NOON, reason: "missing" },
        { ...ONE, at: NOON, reason: "no fit", n: 5 },
        { ...ONE, at: NOON + MINUTE, reason: "no fit" },
      ]);
      expect(await store.refusals("smartrecruiters", NOON + MINUTE, 10)).toHaveLength(1);
      expect(await store.refusals("jobcannon", 0, 10)).toEqual([]);
    });

    test("are settled by what is taken from their source, and those after it are not", async () => {
      const store = await opened(open);
      const other = { ...ONE, source: "jobcannon", kind: "call" as const };
      await store.noteRefusals([{ ...ONE, n: 2 }, other], NOON);
      await store.noteSources([
        { source: "smartrecruiters", takenAt: NOON + 1_000 },
        { source: "jobcannon", refusedAt: NOON + 1_000 },
      ]);
      await store.noteRefusals([{ ...ONE, n: 3, settled: 1 }], NOON + 2_000);
      expect(await store.refusals(null, 0, 10)).toEqual([
        { ...other, at: NOON },
        { ...ONE, at: NOON, n: 5, settled: 3 },
      ]);
    });
  });

  describe("sources", () => {
    test("are known by when they were taken from and refused last, each for itself", async () => {
      const store = await opened(open);
      expect(await store.sources()).toEqual([]);
      await store.noteSources([{ source: "jobcannon", refusedAt: NOON }]);
      await store.noteSources([
        { source: "jobcannon", takenAt: NOON + MINUTE },
        { source: "smartrecruiters", takenAt: NOON },
      ]);
      await store.noteSources([{ source: "jobcannon", refusedAt: NOON + 2 * MINUTE }]);
      expect(await store.sources()).toEqual([
        { source: "jobcannon", takenAt: NOON + MINUTE, refusedAt: NOON + 2 * MINUTE },
        { source: "smartrecruiters", takenAt: NOON, refusedAt: null },
      ]);
    });

    test("show an org's own events, the newest ones, in the order they came", async () => {
      const store = await opened(open);
      for (const n of [1, 2, 3])
        await store.append([anEvent("completed", { eventId: `msg_${n}`, invitationId: `inv_${n}` })]);
      await store.append([anEvent("completed", { eventId: "msg_other", org: "globex" })]);
      const ids = async (limit: number) =>
        (await store.taken({ source: "jobcannon", org: "acme", limit })).map(({ eventId }) => eventId);
      expect(await ids(10)).toEqual(["msg_1", "msg_2", "msg_3"]);
      expect(await ids(2)).toEqual(["msg_2", "msg_3"]);
      expect(await store.taken({ source: "smartrecruiters", org: "acme", limit: 10 })).toEqual([]);
      const ofOne = (invitationId: string) =>
        store.taken({ source: "jobcannon", org: "acme", invitationId, limit: 1 });
      expect(await ofOne("inv_1")).toMatchObject([{ eventId: "msg_1" }]);
      expect(await ofOne("inv_4")).toEqual([]);
    });
  });

  test("a trial of writing leaves nothing behind", async () => {
    const store = await opened(open);
    await store.tryWriting();
    await store.tryWriting();
    expect((await store.overview("acme", NOON)).events.total).toBe(0);
  });
}

function receivedOf(store: Store, query: Partial<Parameters<Store["received"]>[0]> = {}) {
  return store.received({
    org: "acme",
    vendor: "smartrecruiters",
    environment: "production",
    limit: 10,
    ...query,
  });
}

async function unmatchedOf(store: Store): Promise<number> {
  return (await store.overview("acme", NOON)).events.unmatched;
}
