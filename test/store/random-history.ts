/** Random histories of a log, and all that a store answers to them. */
import fc from "fast-check";
import { INVITE_STATUSES, type NewEvent } from "../../src/core/event.ts";
import type { Store } from "../../src/store/contract/store.ts";
import { NOON } from "../core/example.ts";
import { DELIVERED } from "./contract/delivering.ts";
import {
  aConfirmation,
  anEvent,
  anUnknownEvent,
  anUnstorableEvent,
  aThinEvent,
  candidate,
  connect,
  MINUTE,
  ORIGIN,
  SMARTRECRUITERS,
} from "./events.ts";
import { claimsOf } from "./looks.ts";

/** Few of each kind, so that ids, invites, candidates and moments meet again. */
const pick = { invite: fc.nat(2), person: fc.nat(1), minute: fc.nat(3), note: fc.nat(1), origin: fc.nat(2) };
const news = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("snapshot"),
      status: fc.constantFrom(...INVITE_STATUSES),
      ...pick,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("word"),
      isNamed: fc.boolean(),
      hasResult: fc.boolean(),
      ...pick,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom("thin", "unknown", "unstorable"), n: fc.nat(1) }),
  },
);
export const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      verb: fc.constant("append"),
      news: fc.array(news, { minLength: 1, maxLength: 8 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ verb: fc.constant("deliver") }) },
  { weight: 2, arbitrary: fc.record({ verb: fc.constant("answer"), which: fc.nat(2), ...pick }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant("assign"), invite: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant("trial"), origin: fc.nat(2) }) },
);
export type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;
type News = typeof news extends fc.Arbitrary<infer Value> ? Value : never;

/** All that the store answers on the way, and what it shows at the end. */
export async function told(store: Store, steps: readonly Step[]): Promise<unknown[]> {
  const holders = [
    await connect(store),
    await connect(store, SMARTRECRUITERS),
    await connect(store, { ...SMARTRECRUITERS, environment: "sandbox" }),
  ];
  const answers: unknown[] = [];
  for (const [index, each] of steps.entries()) {
    const now = NOON + index * 4 * MINUTE;
    answers.push(await taken(store, each, { now, connections: holders.map(({ id }) => id) }));
  }
  const { events, invites, connections } = await store.overview("acme", NOON + 60 * MINUTE);
  answers.push({ events, invites, pushes: connections.map(({ pushes, stuck }) => [pushes, stuck]) });
  for (const { invite, pushes } of await store.invites({ org: "acme", limit: 10 }))
    answers.push([
      invite,
      pushes.map(({ vendor, environment, subject, state, heldCause, delivered }) => [
        ...[vendor, environment, subject, state],
        ...[heldCause, delivered],
      ]),
    ]);
  const of = { org: "acme", vendor: "smartrecruiters", environment: "production", limit: 50 } as const;
  answers.push((await store.received(of)).map(({ seq: _, ...word }) => word));
  answers.push((await store.questions({ after: 0, limit: 50 })).map(({ seq: _, ...question }) => question));
  return answers;
}

async function taken(
  store: Store,
  each: Step,
  { now, connections }: { now: number; connections: readonly number[] },
): Promise<unknown> {
  switch (each.verb) {
    case "append":
      return await store.append(each.news.map((one) => eventOf(one, now)));
    case "deliver": {
      const claims = [];
      for (const connectionId of connections)
        claims.push(...(await claimsOf(store, { connectionId, limit: 50, now })));
      await store.settle(claims.map((claim) => ({ claim, now, outcome: DELIVERED })));
      // What a projection is made of has no order, nor have pushes that are due at the same moment.
      return claims
        .map(({ subject, invites }) => [
          subject,
          invites.toSorted((a, b) => (a.invitationId < b.invitationId ? -1 : 1)),
        ])
        .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    }
    case "answer": {
      const asked = await store.questions({ after: 0, limit: 10 });
      const question = asked[each.which % Math.max(1, asked.length)];
      if (!question) return null;
      const { snapshot } = eventOf({ ...each, kind: "snapshot", status: "completed" }, now);
      const test = { kind: "test", test: each.note ? "disc" : null } as const;
      const isThin = question.vendor === "greenhouse" && snapshot !== null;
      await store.settleQuestion(question.seq, isThin ? { kind: "snapshot", snapshot } : test, now);
      return question.about;
    }
    case "assign": {
      const invite = { org: "acme", invitationId: `inv_${each.invite}` };
      return await store.assign(invite, { vendor: "smartrecruiters", candidateId: "c9", jobId: "j1" }, now);
    }
    case "trial":
      return await store.startTrial({
        org: "acme",
        vendor: "smartrecruiters",
        candidateId: `c${each.origin}`,
      });
  }
}

function eventOf(one: News, now: number): NewEvent {
  switch (one.kind) {
    case "snapshot":
      return anEvent(one.status, {
        invitationId: `inv_${one.invite}`,
        candidate: candidate(`p${one.person}@example.com`),
        at: NOON + one.minute * MINUTE,
        receivedAt: now,
        note: String(one.note),
        origin:
          one.origin === 0
            ? null
            : { ...ORIGIN, candidateId: `c${one.origin}`, assessmentId: `a${one.invite}` },
      });
    case "word":
      return aConfirmation(`word_${one.invite}_${one.minute}`, {
        candidateId: `c${one.origin}`,
        assessmentId: `a${one.invite}`,
        invitationId: one.isNamed ? `inv_${one.invite}` : null,
        at: NOON + one.minute * MINUTE,
        result: one.hasResult ? { score: one.note } : null,
      });
    case "thin":
      return aThinEvent(`thin_${one.n}`);
    case "unknown":
      return anUnknownEvent(`unknown_${one.n}`);
    case "unstorable":
      return anUnstorableEvent(`bad_${one.n}`);
  }
}
