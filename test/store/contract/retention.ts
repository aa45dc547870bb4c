import { describe, expect, test } from "vitest";
import type { PurgeCounts, PurgeRequest, Store } from "../../../src/store/contract/store.ts";
import { aTest, NOON } from "../../core/example.ts";
import {
  aConfirmation,
  anEvent,
  anUnknownEvent,
  aThinEvent,
  candidate,
  completedFor,
  connect,
  type EventChanges,
  MINUTE,
  ORIGIN,
  SMARTRECRUITERS,
} from "../events.ts";
import { attemptsOf, claimsOf } from "../looks.ts";
import { type OpenStore, opened, pushOf } from "../world.ts";
import { anAttempt, DELIVERED, REJECTED } from "./delivering.ts";

const DAY = 24 * 60 * MINUTE;
const LATER = NOON + 91 * DAY;

/** All steps; in one go, as nobody else is there. */
export async function purgeAll(store: Store, changes: Partial<PurgeRequest> = {}): Promise<PurgeCounts> {
  const sum: PurgeCounts = { invites: 0, events: 0, pushes: 0, rejected: 0, attempts: 0, others: 0 };
  let after: string | null = null;
  do {
    const request = { now: LATER, keepDays: 90, keepDaysOf: {}, isDry: false, ...changes, after };
    const { removed, next } = await store.purge(request);
    for (const [what, n] of Object.entries(removed))
      Object.assign(sum, { [what]: Reflect.get(sum, what) + n });
    after = next;
  } while (after !== null);
  return sum;
}

/** Claims and settles all that is due, with an attempt each. */
async function tried(store: Store, connectionId: number, now: number, outcome = DELIVERED): Promise<void> {
  const claims = await claimsOf(store, { connectionId, limit: 1_000, now });
  const attempt = anAttempt(outcome.kind === "rejected" ? "rejected" : "delivered");
  await store.settle(claims.map((claim) => ({ claim, now, outcome, attempt })));
}

async function idsIn(store: Store, org = "acme"): Promise<string[]> {
  return (await store.invites({ org, limit: 1_000 })).map(({ invite }) => invite.invitationId);
}

const standingOf = async (store: Store, now = LATER) =>
  (await store.overview("acme", now)).connections[0]?.pushes;

export function describeRetention(open: OpenStore): void {
  describe("forgetting what is old", () => {
    test("forgets no call that counts in a rate window, whatever the clock of the windows shows", async () => {
      const store = await opened(open);
      const call = { key: "portal", calls: 1, windowMs: 10_000, aheadMs: 0 };
      const { id } = await store.takeCall({ ...call, now: 5_000 });
      await store.endCall(id ?? 0, 5_000);
      await purgeAll(store);
      expect(await store.takeCall({ ...call, now: 6_000 })).toEqual({ at: 15_000, id: null });
    });

    test("removes an invite with its events, its push and its attempts, and counts on", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      await store.append([anEvent("in_progress", { at: NOON - MINUTE }), anEvent("completed")]);
      await tried(store, id, NOON);
      const before = await standingOf(store);
      expect(await purgeAll(store)).toEqual({
        invites: 1,
        events: 2,
        pushes: 1,
        rejected: 0,
        attempts: 1,
        others: 0,
      });
      expect(await store.invite("acme", "inv_1")).toBeNull();
      expect(await attemptsOf(store, { org: "acme", limit: 10 })).toEqual([]);
      expect((await store.overview("acme", LATER)).events.total).toBe(2);
      expect(await standingOf(store)).toEqual(before);
      expect(before?.delivered).toBe(1);
      expect((await store.countPushes({ pushes: { connectionId: id } })).delivered).toBe(0);
      expect(await purgeAll(store)).toMatchObject({ invites: 0, pushes: 0, attempts: 0 });
    });

    test("leaves what is younger, by the day", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      await store.append(completedFor("ann"));
      await tried(store, id, NOON);
      expect(await purgeAll(store, { now: NOON + 90 * DAY })).toMatchObject({
        invites: 0,
        pushes: 0,
        events: 0,
      });
      expect(await idsIn(store)).toEqual(["inv_ann"]);
      expect(await purgeAll(store, { now: NOON + 90 * DAY + 1 })).toMatchObject({ invites: 1, events: 1 });
    });

    test("keeps what an org keeps longer, and gives up sooner what another one keeps shorter", async () => {
      const store = await opened(open);
      const of = (org: string) => anEvent("completed", { org, eventId: org, invitationId: `inv_${org}` });
      await store.append(["acme", "globex", "initech"].map(of));
      const keepDaysOf = { globex: 365, initech: 7 };
      expect(await purgeAll(store, { keepDaysOf, now: NOON + 8 * DAY })).toMatchObject({ invites: 1 });
      expect(await idsIn(store, "initech")).toEqual([]);
      expect(await purgeAll(store, { keepDaysOf })).toMatchObject({ invites: 1 });
      expect([await idsIn(store), await idsIn(store, "globex")]).toEqual([[], ["inv_globex"]]);
    });

    test("keeps what came lately, however old it says it is", async () => {
      const store = await opened(open);
      await store.append([anEvent("completed", { receivedAt: LATER - DAY })]);
      expect(await purgeAll(store)).toMatchObject({ invites: 0, events: 0 });
      expect(await purgeAll(store, { now: LATER + 90 * DAY })).toMatchObject({ invites: 1, events: 1 });
    });

    test("never removes what is pending or held, whichever connection waits for it, with its invites and last attempt", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      const { id: assessments } = await connect(store, SMARTRECRUITERS);
      await store.append([
        ...completedFor("pending", "held"),
        anEvent("completed", {
          invitationId: "inv_asked",
          origin: ORIGIN,
          candidate: candidate("asked@example.com"),
        }),
      ]);
      const claims = await claimsOf(store, { connectionId: id, limit: 10, now: NOON + MINUTE });
      await store.settle(
        claims.map((claim) => ({
          claim,
          now: NOON + MINUTE,
          attempt: anAttempt("retry"),
          outcome:
            claim.subject === "pending@example.com"
              ? { kind: "pending", dueAt: NOON, counted: true }
              : claim.subject === "held@example.com"
                ? { kind: "held", cause: "property" }
                : DELIVERED,
        })),
      );
      expect(await purgeAll(store)).toEqual({ ...NOTHING });
      expect(await idsIn(store)).toHaveLength(3);
      expect(await attemptsOf(store, { org: "acme", limit: 10 })).toHaveLength(3);
      await tried(store, assessments, NOON + MINUTE);
      expect(await purgeAll(store)).toMatchObject({ invites: 1 });
      expect((await idsIn(store)).toSorted()).toEqual(["inv_held", "inv_pending"]);
    });

    test("removes what was rejected, and tells how many those were", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      await store.append(completedFor("ann", "bob"));
      await tried(store, id, NOON + MINUTE, REJECTED);
      expect(await purgeAll(store)).toMatchObject({ invites: 2, pushes: 2, rejected: 2 });
      const { removed } = await store.overview("acme", LATER + DAY);
      expect(removed).toMatchObject({ invites: 2, rejected: 2 });
      expect(LATER - (removed?.lastAt ?? 0)).toBeLessThan(DAY);
      expect((await store.overview("other", LATER)).removed).toBeNull();
    });

    test("removes attempts by their own time, and keeps the last one of a push that stays", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      const claimAndRetry = async (now: number) => {
        const [claim] = await claimsOf(store, { connectionId: id, limit: 1, now });
        if (!claim) throw new Error("nothing is due");
        const outcome = { kind: "pending", dueAt: now, counted: true } as const;
        await store.settle([{ claim, now, outcome, attempt: anAttempt("retry", String(now)) }]);
      };
      await store.append([anEvent("completed")]);
      for (const minutes of [1, 2, 3]) await claimAndRetry(NOON + minutes * MINUTE);
      expect(await purgeAll(store)).toMatchObject({ attempts: 2, pushes: 0 });
      const [last, ...others] = await attemptsOf(store, { org: "acme", limit: 10 });
      expect([last?.reason, others]).toEqual([String(NOON + 3 * MINUTE), []]);
    });

    test("counts what would go, and changes nothing, when it is dry", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      await store.append([...completedFor("ann", "bob"), anUnknownEvent("renamed")]);
      await tried(store, id, NOON + MINUTE);
      await store.raise(id, { subjects: ["ann@example.com", "bob@example.com"] }, NOON + 2 * MINUTE);
      await tried(store, id, NOON + 2 * MINUTE, REJECTED);
      const dry = await purgeAll(store, { isDry: true });
      expect(await purgeAll(store, { isDry: true })).toEqual(dry);
      expect(await idsIn(store)).toHaveLength(2);
      expect(dry).toMatchObject({ invites: 2, events: 3, pushes: 2, rejected: 2, attempts: 4 });
      expect(await purgeAll(store)).toEqual(dry);
    });

    test("goes on from the beginning after it was cut short, an invite of very many events among them", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      await store.append(completedFor(...Array.from({ length: 70 }, (_, n) => `n${n}`)));
      await tried(store, id, NOON + MINUTE);
      await store.append(
        Array.from({ length: 1_100 }, (_, n) => anEvent("invited", { at: NOON - n, eventId: `told-${n}` })),
      );
      const request = { now: LATER, keepDays: 90, keepDaysOf: {}, isDry: false };
      const { removed, next } = await store.purge({ ...request, after: null });
      await store.purge({ ...request, after: next });
      expect(removed.invites).toBeLessThan(70);
      await purgeAll(store);
      expect(await idsIn(store)).toEqual([]);
      expect(await purgeAll(store)).toEqual(NOTHING);
      expect(await standingOf(store)).toMatchObject({ delivered: 70, pending: 0 });
    });

    test("removes events that no invite ever came for, and what waits for an invite is not counted any more", async () => {
      const store = await opened(open);
      await store.append([anUnknownEvent("renamed"), aConfirmation("evt_1"), aThinEvent("thin")]);
      expect((await store.overview("acme", NOON)).events).toMatchObject({ total: 3, unmatched: 1 });
      expect(await purgeAll(store)).toMatchObject({ events: 2 });
      expect((await store.overview("acme", LATER)).events).toMatchObject({ total: 3, unmatched: 0 });
      expect(await store.questions({ after: 0, limit: 10 })).toHaveLength(1);
    });
  });

  describe("what was forgotten", () => {
    test("is known when an old file is imported again: nothing is stored, folded or pushed", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      const file = [
        anEvent("invited", { at: NOON - 2 * MINUTE }),
        anEvent("in_progress", { at: NOON - MINUTE }),
        anEvent("completed"),
      ];
      await store.append(file);
      await tried(store, id, NOON);
      await purgeAll(store);
      const again = file.map((event) => ({ ...event, receivedAt: LATER }));
      expect((await store.append(again)).map(({ outcome }) => outcome)).toEqual(["known", "known", "known"]);
      expect(await store.invite("acme", "inv_1")).toBeNull();
      expect(await store.dueWork(LATER)).toEqual([]);
    });

    test.each([
      ["an older snapshot that was never seen", { at: NOON - 1 }, "known"],
      [
        "one of the same moment with fewer tests done",
        { tests: [aTest(), aTest({ slug: "eq", status: "started" })] },
        "known",
      ],
      [
        "one of the same moment with more tests done",
        { tests: [aTest(), aTest({ slug: "eq" }), aTest({ slug: "iq" })] },
        "stored",
      ],
      ["a newer one", { at: NOON + 1 }, "stored"],
    ] satisfies [string, EventChanges, string][])(
      "takes %s as the rule of all snapshots says",
      async (_, changes, outcome) => {
        const store = await opened(open);
        await store.append([anEvent("completed", { tests: [aTest(), aTest({ slug: "eq" })] })]);
        await purgeAll(store);
        const late = anEvent("completed", { eventId: "late", receivedAt: LATER, ...changes });
        expect(await store.append([late])).toMatchObject([{ outcome }]);
        expect(await idsIn(store)).toEqual(outcome === "stored" ? ["inv_1"] : []);
      },
    );

    test("is an invite again, whole and due, when newer news of it comes", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      await store.append([anEvent("invited", { at: NOON - DAY }), anEvent("completed")]);
      await tried(store, id, NOON);
      await purgeAll(store);
      await store.append([anEvent("completed", { at: LATER, receivedAt: LATER })]);
      expect((await store.invite("acme", "inv_1"))?.invite).toMatchObject({
        at: LATER,
        earliestAt: NOON - DAY,
      });
      expect(await pushOf(store)).toMatchObject({ state: "pending" });
    });

    test("is not made anew by a vendor's late word, nor by what a vendor answers about a late one", async () => {
      const store = await opened(open);
      await store.append([anEvent("completed", { origin: ORIGIN })]);
      await purgeAll(store);
      expect(await store.append([aConfirmation("late", { invitationId: "inv_1", at: LATER })])).toMatchObject(
        [{ outcome: "known" }],
      );
      await store.append([aThinEvent("thin")]);
      const [question] = await store.questions({ after: 0, limit: 1 });
      const { snapshot } = anEvent("completed", { at: NOON - 1 });
      if (!question || !snapshot) throw new Error("nothing was asked");
      await store.settleQuestion(question.seq, { kind: "snapshot", snapshot }, LATER);
      expect(await idsIn(store)).toEqual([]);
      expect((await store.overview("acme", LATER)).events).toMatchObject({ unmatched: 0, ignored: 1 });
    });

    test("is told with the contact's other invites, as long as there are any", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      const scored = [aTest({ result: { score: 1 }, completedAt: NOON - MINUTE })];
      await store.append([
        anEvent("completed", { sentAt: NOON - DAY, tests: scored }),
        anEvent("in_progress", { invitationId: "inv_2", at: LATER - DAY, receivedAt: LATER - DAY }),
      ]);
      await tried(store, id, LATER - DAY);
      await purgeAll(store);
      const [subject] = (await store.subjects({ connectionId: id, limit: 10 })).subjects;
      const head = {
        status: "completed",
        madeAt: NOON - DAY,
        hasCompletedTest: true,
        toldBy: null,
        vendor: null,
      };
      const forgotten = { heads: [head], tests: { disc: NOON - MINUTE } };
      expect(subject).toMatchObject({ invites: [{ invitationId: "inv_2" }], forgotten });
      await store.raise(id, { subjects: ["ann@example.com"] }, LATER);
      const [claim] = await claimsOf(store, { connectionId: id, limit: 1, now: LATER });
      expect(claim?.forgotten).toEqual(forgotten);
      if (claim) await store.settle([{ claim, now: LATER, outcome: DELIVERED }]);
      await purgeAll(store, { now: LATER + 91 * DAY });
      await store.append([anEvent("completed", { invitationId: "inv_3", at: LATER + 91 * DAY })]);
      expect((await store.subjects({ connectionId: id, limit: 10 })).subjects).toMatchObject([
        { forgotten: null },
      ]);
    });
  });
}

const NOTHING: PurgeCounts = { invites: 0, events: 0, pushes: 0, rejected: 0, attempts: 0, others: 0 };
