import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Claim, SettleOutcome, Store } from "../../../src/store/contract/store.ts";
import { NOON } from "../../core/example.ts";
import { DELIVERED, REJECTED } from "../contract/delivering.ts";
import { anEvent, anotherAccount, candidate, connect, MINUTE } from "../events.ts";
import type { OpenStore } from "../world.ts";
import { type News, type Operation, operation, PEOPLE } from "./operations.ts";
import { createReference, type Flight, type Reference } from "./reference.ts";
import { claimsOf, stuckOf, unpushed } from "../looks.ts";
import { temporaryDirectory } from "../../directory.ts";
import { tries } from "../../tries.ts";

/** Two snapshots of one invite; it is claimed for one account, then for another, and both answers come. */
const ANSWER_OF_ANOTHER_ACCOUNT: readonly Operation[] = [
  {
    verb: "append",
    news: [
      { invite: 0, person: 0, status: "completed", minute: 0 },
      { invite: 0, person: 0, status: "completed", minute: 1 },
    ],
  },
  { verb: "claim", limit: 1 },
  { verb: "connectAnother" },
  { verb: "claim", limit: 1 },
  { verb: "settle", which: 1, outcome: "delivered" },
  { verb: "settle", which: 0, outcome: "delivered" },
];

export function describeModel(open: OpenStore): void {
  describe("any sequence of verbs", () => {
    test("leaves the store as a handful of maps would be", async () => {
      const parent = temporaryDirectory();
      let runs = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(operation, { maxLength: 40, size: "max" }), async (operations) => {
          runs += 1;
          const store = await open(join(parent, String(runs)));
          try {
            await walk(store, operations);
          } finally {
            await store.close();
          }
        }),
        { ...tries(20), examples: [[[...ANSWER_OF_ANOTHER_ACCOUNT]]] },
      );
    });
  });
}

/** One that was claimed, in the store's and the reference's terms. */
interface Pair {
  claim: Claim;
  flight: Flight;
}

async function walk(store: Store, operations: readonly Operation[]): Promise<void> {
  const { id } = await connect(store);
  const reference = createReference();
  const pairs: Pair[] = [];
  for (const [index, operation] of operations.entries()) {
    const now = NOON + index * 4 * MINUTE;
    await step({ store, reference, pairs, id, now }, operation);
    await compare({ store, reference, id, now });
  }
}

interface Context {
  store: Store;
  reference: Reference;
  pairs: Pair[];
  id: number;
  now: number;
}

async function step({ store, reference, pairs, id, now }: Context, operation: Operation): Promise<void> {
  switch (operation.verb) {
    case "append": {
      const events = operation.news.map((news) => eventOf(news, now));
      await store.append(events);
      for (const event of events) reference.append(event);
      return;
    }
    case "claim": {
      const due = reference.dueTimes().filter((dueAt) => dueAt <= now);
      const claims = await claimsOf(store, { connectionId: id, limit: operation.limit, now });
      const dueTimes = claims.map(({ subject }) => reference.pushes.get(subject)?.dueAt);
      expect(dueTimes).toEqual(due.slice(0, operation.limit));
      pairs.push(...claims.map((claim) => ({ claim, flight: reference.claim(claim.subject) })));
      return;
    }
    case "settle": {
      const [pair] = pairs.splice(operation.which % pairs.length, 1);
      if (!pair) return;
      const outcome = outcomeOf(operation.outcome, now);
      await store.settle([{ claim: pair.claim, now, outcome }]);
      return reference.settle(pair.flight, outcome, now);
    }
    case "hold":
      await store.hold(id, { cause: operation.cause });
      return reference.hold(operation.cause);
    case "release":
      await store.release(id, { held: operation.causes }, now);
      return reference.release(operation.causes, now);
    case "raise": {
      const subject = PEOPLE[operation.person] ?? "";
      await store.raise(id, { subjects: [subject] }, now);
      return reference.raise(subject, now, { urgent: true });
    }
    case "compare": {
      const { subjects: current } = await store.subjects({ connectionId: id, limit: 10 });
      await store.raise(id, { subjects: [], current }, now);
      return reference.markAllCurrent();
    }
    case "connectAnother":
      await anotherAccount(store);
      return reference.forgetAccount();
  }
}

async function compare({ store, reference, id, now }: Omit<Context, "pairs">): Promise<void> {
  const { events, invites, connections } = await store.overview("acme", now);
  const counted = { events: { total: events.total, conflicts: events.conflicts }, invites };
  const { waiting, failing, quarantined, property, scope, candidate } = await stuckOf(store, id, now);
  const stuck = waiting + failing + quarantined + property + scope + candidate;
  expect({ ...counted, pushes: connections[0]?.pushes, stuck }).toEqual(reference.counts(now));
  expect(await unpushed(store, { connectionId: id, includeInProgress: false })).toBe(reference.unpushed());
  expect((await store.dueWork(now)).map(({ dueAt }) => dueAt)).toEqual(reference.dueTimes().slice(0, 1));
  for (const { invite, pushes } of await store.invites({ org: "acme", limit: 10 })) {
    const known = reference.invites.get(invite.invitationId);
    expect(invite).toEqual(known?.invite);
    const push = reference.pushes.get(invite.candidate.email);
    const isShown = push && push.state !== "forgotten";
    const delivered = (push?.delivered ?? 0) >= (known?.version ?? 0);
    expect(pushes.map(({ state, heldCause, delivered }) => ({ state, heldCause, delivered }))).toEqual(
      isShown ? [{ state: push.state, heldCause: push.heldCause, delivered }] : [],
    );
  }
  for (const { subject, push } of (await store.subjects({ connectionId: id, limit: 10 })).subjects)
    if (push) expect(push.pendingSince).toBe(reference.pushes.get(subject)?.pendingSince);
}

function eventOf({ invite, person, status, minute }: News, now: number) {
  return anEvent(status, {
    invitationId: `inv_${invite}`,
    candidate: candidate(PEOPLE[person] ?? ""),
    at: NOON + minute * MINUTE,
    receivedAt: now,
  });
}

function outcomeOf(kind: Extract<Operation, { verb: "settle" }>["outcome"], now: number): SettleOutcome {
  switch (kind) {
    case "delivered":
      return DELIVERED;
    case "rejected":
      return REJECTED;
    case "empty":
      return { kind: "empty" };
    case "held":
      return { kind: "held", cause: "property" };
    case "retry":
      return { kind: "pending", dueAt: now + 10 * MINUTE, counted: true };
  }
}
