import { describe, expect, test } from "vitest";
import type { Store } from "../../../src/store/contract/store.ts";
import { aTest, NOON } from "../../core/example.ts";
import { aConfirmation, anEvent, connect, HUBSPOT, MINUTE, ORIGIN, SMARTRECRUITERS } from "../events.ts";
import { type OpenStore, opened } from "../world.ts";
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
        await store.append([anEvent("completed", { origin: ORIGIN })]);
        expect(await unmatchedOf(store)).toBe(0);
        expect(await receivedOf(store, { unmatched: true })).toEqual([]);
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
      expect(first?.assessmentId).toBe("a1");
      const next = await store.questions({ after: first?.seq ?? 0, limit: 1 });
      expect(next).toMatchObject([{ assessmentId: "a2" }]);
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
      expect(question).toMatchObject({ org: "acme", environment: "production", assessmentId: "a1" });
      await store.nameTest(question?.seq ?? 0, "iq-test", NOON);
      expect(await store.questions({ after: 0, limit: 10 })).toEqual([]);
      expect((await store.invite("acme", "inv_1"))?.invite).toMatchObject({
        status: "completed",
        completedAt: NOON,
        tests: [{ slug: "iq-test", status: "completed", result: RESULT }],
      });
      const { connections } = await store.overview("acme", NOON);
      expect(connections.map(({ pushes }) => pushes.pending)).toEqual([1, 1]);
    });

    test("asks no more when the vendor does not know the test, or the invite does not have it", async () => {
      for (const answer of [null, "eq"]) {
        const store = await opened(open);
        await store.append([
          anEvent("invited", { origin: ORIGIN, tests: UNTAKEN }),
          aConfirmation("evt_1", { result: RESULT }),
        ]);
        const [question] = await store.questions({ after: 0, limit: 10 });
        await store.nameTest(question?.seq ?? 0, answer, NOON);
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
      await store.nameTest(question?.seq ?? 0, "iq-test", NOON);
      const resultNow = async () => (await store.invite("acme", "inv_1"))?.invite.tests[0]?.result;
      const started = [aTest({ slug: "iq-test", status: "started" })];
      await store.append([anEvent("in_progress", { origin: ORIGIN, tests: started, at: NOON + MINUTE })]);
      expect(await resultNow()).toEqual(RESULT);
      const own = [aTest({ slug: "iq-test", result: { score: 99 } })];
      await store.append([anEvent("completed", { origin: ORIGIN, tests: own, at: NOON + 2 * MINUTE })]);
      expect(await resultNow()).toEqual({ score: 99 });
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
      const [claim] = await store.claim({ connectionId: sandbox.id, limit: 10, now: NOON });
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
        expect(await store.countUnpushed({ connectionId: id, includeInProgress: true })).toBe(0);
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
    test("are counted by minute and reason, each source for itself", async () => {
      const store = await opened(open);
      const note = (reason: string, n = 1) => ({ source: "smartrecruiters", reason, n });
      await store.noteRefusals([note("no fit", 2), note("missing")], NOON);
      await store.noteRefusals([note("no fit", 3)], NOON + 1_000);
      await store.noteRefusals([note("no fit")], NOON + MINUTE);
      expect(await store.refusals("smartrecruiters", 0, 10)).toEqual([
        { source: "smartrecruiters", at: NOON, reason: "missing", n: 1 },
        { source: "smartrecruiters", at: NOON, reason: "no fit", n: 5 },
        { source: "smartrecruiters", at: NOON + MINUTE, reason: "no fit", n: 1 },
      ]);
      expect(await store.refusals("smartrecruiters", NOON + MINUTE, 10)).toHaveLength(1);
      expect(await store.refusals("jobcannon", 0, 10)).toEqual([]);
    });
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
