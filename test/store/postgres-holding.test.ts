/** What a process knows of its claims being its own, and that two stores on one database share out all work. */
import { Client } from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { followingClock } from "../../src/shared/clock.ts";
import { isAppError } from "../../src/shared/errors.ts";
import type { Claim, Store } from "../../src/store/contract/store.ts";
import { openPostgresStore, type PostgresOptions } from "../../src/store/postgres/postgres.ts";
import { enterHolder, resumeHolder } from "../../src/store/postgres/server/holder.ts";
import { createTenure, type Moment } from "../../src/store/postgres/server/tenure.ts";
import { NOON } from "../core/example.ts";
import { until } from "../world.ts";
import { claimOne, DELIVERED } from "./contract/delivering.ts";
import { anEvent, candidate, completedFor, connect, MINUTE } from "./events.ts";
import { claimsOf } from "./looks.ts";
import { asked, describeWithPostgres, postgresServer } from "./postgres-server.ts";

async function opened(options: PostgresOptions): Promise<Store> {
  const store = await openPostgresStore(options);
  onTestFinished(() => store.close());
  return store;
}

const LATER = NOON + MINUTE;

/** A store whose monotonic clock the test moves, beside the database that knows nothing of it. */
async function movable() {
  const url = await (await postgresServer()).database();
  let pausedMs = 0;
  const monotonic = () => Math.floor(performance.now()) + pausedMs;
  const clock = followingClock({ now: () => Date.now(), monotonic, sleep: async () => {} });
  const store = await opened({ url, clock });
  const { id } = await connect(store);
  await store.append(completedFor("ann", "bob", "cat"));
  const pause = (ms: number) => {
    pausedMs += ms;
  };
  return { url, store, id, pause };
}

async function session(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

describeWithPostgres("a holder", () => {
  test("that comes back to a server that was set back leaves alone whoever has its number now", async () => {
    const url = await (await postgresServer()).database();
    await (await openPostgresStore({ url })).close();
    const first = await session(url);
    const ours = await enterHolder(first, "ours");
    await first.end();
    await asked(url, `DELETE FROM jc.holders WHERE id = ${ours.id}`);
    await asked(url, `ALTER TABLE jc.holders ALTER id RESTART WITH ${ours.id}`);
    const theirs = await enterHolder(await session(url), "theirs");
    expect(theirs.id).toBe(ours.id);
    const alive = () => asked(url, "SELECT * FROM jc.live_holders() AS id");
    expect(await resumeHolder(await session(url), ours)).toBe(false);
    expect(await alive()).toEqual([{ id: String(theirs.id) }]);
    expect(await resumeHolder(await session(url), theirs)).toBe(true);
    expect(await alive()).toEqual([{ id: String(theirs.id) }]);
  });
});

describeWithPostgres("a service", () => {
  test("that was forgotten while it had no session is known again once it has one", async () => {
    const url = await (await postgresServer()).database();
    const [store, other] = [await openPostgresStore({ url }), await openPostgresStore({ url })];
    onTestFinished(async () => {
      await store.close();
      await other.close();
    });
    const facts = { startedAt: 1, version: "1", build: "b", directory: "/", config: null, lostLines: 0 };
    await store.runningServices({ enter: facts });
    expect(await other.runningServices()).toEqual([facts]);
    // As one that starts meanwhile does, to whom it is dead; its number may be gone, too.
    await asked(url, "DELETE FROM jc.services; DELETE FROM jc.holders");
    await asked(url, END_DIRECT);
    await until("it is known again", async () => (await other.runningServices()).length === 1);
  });
});

describeWithPostgres("a lease", () => {
  test("is surely ours while signs of life are taken, and not once a pause was too long, nor ever again", async () => {
    const { store, id, pause } = await movable();
    const { lease } = await claimOne(store, id, LATER);
    expect(store.isHolding(lease)).toBe(true);
    pause(61_000);
    expect(store.isHolding(lease)).toBe(false);
    let next = await claimOne(store, id, LATER);
    await until("what is claimed from then on is", async () => {
      next = await claimedAnew(store, id, next);
      return store.isHolding(next.lease);
    });
    expect(store.isHolding(lease)).toBe(false);
  });

  test("is not surely ours once the database's time went on without a sign of life", async () => {
    const { url, store, id } = await movable();
    const { lease } = await claimOne(store, id, LATER);
    await asked(url, "UPDATE jc.clock_offset SET ms = 100000");
    await until("it is noticed", () => !store.isHolding(lease));
    const { lease: next } = await claimOne(store, id, LATER);
    expect([store.isHolding(lease), store.isHolding(next)]).toEqual([false, true]);
  });

  test("is not surely ours once its session was lost, and what is claimed when that is back is", async () => {
    const { url, store, id } = await movable();
    const { lease } = await claimOne(store, id, LATER);
    await asked(url, END_DIRECT);
    await until("the end is told of", () => store.faults().length > 0);
    expect(store.isHolding(lease)).toBe(false);
    await until("it is back", () => store.faults().length === 0);
    expect(store.isHolding(lease)).toBe(false);
    expect(store.isHolding((await claimOne(store, id, LATER)).lease)).toBe(true);
  });

  test("is had again by a process whose row among the holders is gone", async () => {
    const { url, store, id } = await movable();
    await asked(url, "DELETE FROM jc.holders");
    await until("it has entered anew", async () => {
      const [row] = await asked(url, "SELECT count(*)::int AS n FROM jc.live_holders()");
      return Object(row).n === 1 && store.faults().length === 0;
    });
    expect(store.isHolding((await claimOne(store, id, LATER)).lease)).toBe(true);
  });
});

const END_DIRECT = `SELECT pg_terminate_backend(pid) FROM pg_locks
  WHERE locktype = 'advisory' AND classid = 27235 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

/** Gives it back and claims again. */
async function claimedAnew(store: Store, id: number, last: Claim): Promise<Claim> {
  const outcome = { kind: "pending", dueAt: NOON, counted: false } as const;
  await store.settle([{ claim: last, now: LATER, outcome }]);
  return await claimOne(store, id, LATER);
}

describe("tenure", () => {
  test("ends with a machine's sleep, in which its monotonic clock stands still", async () => {
    const at: Moment = { monotonic: 5, date: 1_000 };
    const tenure = createTenure(() => at);
    expect(tenure.isHolding(7)).toBe(false);
    await tenure.confirm({ ...at }, 1, async () => 6);
    expect([tenure.isHolding(6), tenure.isHolding(7)]).toEqual([false, true]);
    at.date += 59_999;
    expect(tenure.isHolding(7)).toBe(true);
    at.date += 1;
    expect(tenure.isHolding(7)).toBe(false);
    await tenure.confirm({ ...at }, 2, async () => 7);
    expect([tenure.isHolding(7), tenure.isHolding(8)]).toEqual([false, true]);
  });

  test("is nobody's while the newest lease is asked for", async () => {
    const tenure = createTenure(() => ({ monotonic: 0, date: 0 }));
    await tenure.confirm({ monotonic: 0, date: 0 }, 1, async () => 0);
    const paused = tenure.confirm({ monotonic: 0, date: 0 }, 90_001, async () => {
      expect(tenure.isHolding(1)).toBe(false);
      return 1;
    });
    await paused;
    expect([tenure.isHolding(1), tenure.isHolding(2)]).toEqual([false, true]);
  });
});

const PEOPLE = 160;
const people = Array.from({ length: PEOPLE }, (_, n) => `p${n}`);
const addressOf = (name: string) => `${name}@example.com`;
/** Each two neighbours among the first half are one record of the vendor's. */
const recordOf = (subject: string) => {
  const n = Number(subject.slice(1).split("@")[0]);
  if (n >= PEOPLE / 2) return { id: `r${n}`, subjects: [subject] };
  const first = n - (n % 2);
  return { id: `r${first}`, subjects: [first, first + 1].map((each) => addressOf(`p${each}`)) };
};

/** What is under way in both stores at once, from a claim's answer until it is being settled. */
function underWay() {
  const held = new Map<string, string>();
  const twice: string[] = [];
  const keysOf = ({ subject, known }: Claim) => [subject, ...(known ? [known.id] : [])];
  return {
    twice,
    begin: (by: string, claims: readonly Claim[]) => {
      for (const key of claims.flatMap(keysOf)) {
        if (held.has(key)) twice.push(`${key}: ${held.get(key)} and ${by}`);
        held.set(key, by);
      }
    },
    end: (claims: readonly Claim[]) => {
      for (const key of claims.flatMap(keysOf)) held.delete(key);
    },
  };
}

describeWithPostgres("two stores on one database", () => {
  test("never hold one subject or record at once, lose no push and meet in no deadlock", async () => {
    const url = await (await postgresServer()).database();
    const stores = [await openPostgresStore({ url }), await openPostgresStore({ url })];
    const [one] = stores;
    if (!one) throw new Error("there is no store");
    const { id } = await connect(one);
    await one.append(completedFor(...people));
    const { twice, begin, end } = underWay();
    const told = new Map<string, number>();
    let turn = 0;
    let settled = 0;
    const news = new Map<string, number>();
    /** Each has two pieces of news, which another machine takes in while what was known before is under way. */
    const newsOf = async (taker: Store, claims: readonly Claim[]) => {
      const events = claims.flatMap(({ subject }) => {
        const n = (news.get(subject) ?? 0) + 1;
        if (n > 2) return [];
        news.set(subject, n);
        const invitationId = `inv_${n}_${subject}`;
        return [anEvent("completed", { invitationId, candidate: candidate(subject), at: NOON + n })];
      });
      // Who waits too long for another's lock hears 503, and sends again.
      await until("the news are taken", () =>
        taker.append(events).catch((error: unknown) => {
          if (!isAppError(error, "STORE_UNAVAILABLE")) throw error;
          return null;
        }),
      );
    };
    const deliver = async (store: Store, other: Store, by: string) => {
      const claims = await claimsOf(store, { connectionId: id, limit: 12, now: LATER });
      begin(by, claims);
      await newsOf(other, claims);
      const settlements = claims.map((claim) => {
        turn += 1;
        // Every third waits once more, as after an outage.
        const waits = claim.tries === 0 && turn % 3 === 0;
        if (waits)
          return { claim, now: LATER, outcome: { kind: "pending", dueAt: NOON, counted: true } as const };
        told.set(claim.subject, Math.max(told.get(claim.subject) ?? 0, claim.carries));
        return { claim, now: LATER, outcome: DELIVERED, record: recordOf(claim.subject) };
      });
      end(claims);
      await store.settle(settlements);
      settled += settlements.length;
      return claims.length;
    };
    const isAllDelivered = async () => {
      const [row] = await asked(
        url,
        "SELECT count(*)::int AS n FROM jc.pushes WHERE state = 'delivered' AND lease IS NULL",
      );
      return Object(row).n === PEOPLE;
    };
    let isOver = false;
    const workers = stores.flatMap((store, index) =>
      ["a", "b"].map(async (name) => {
        const other = stores[1 - index] ?? store;
        while (!isOver) await deliver(store, other, `${index}${name}`);
      }),
    );
    await until("all is delivered", isAllDelivered).finally(() => {
      isOver = true;
    });
    await Promise.all(workers);

    expect(twice).toEqual([]);
    expect(settled).toBeGreaterThan(PEOPLE);
    const rows = await asked(
      url,
      `SELECT p.subject, (SELECT max(i.state_version) FROM jc.invites i WHERE i.contact = p.subject)::int AS newest
        FROM jc.pushes p WHERE p.state <> 'never'`,
    );
    expect(rows).toHaveLength(PEOPLE);
    const untold = rows.filter((row) => (told.get(Object(row).subject) ?? 0) < Object(row).newest);
    expect(untold).toEqual([]);
    expect(await asked(url, "SELECT 1 FROM jc.leases")).toEqual([]);
    for (const store of stores) await store.close();
    const deadlocks = "SELECT deadlocks::int AS n FROM pg_stat_database WHERE datname = current_database()";
    expect(await asked(url, deadlocks)).toEqual([{ n: 0 }]);
  });
});
