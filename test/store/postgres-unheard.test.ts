/** What was committed, though its answer was lost on the way: who asks again finds it as if all had been heard. */
import { expect, onTestFinished, test } from "vitest";
import { placesNamed } from "../../src/core/delivery/rate-window.ts";
import type { ThreadedStore } from "../../src/store/contract/threaded.ts";
import { openPostgresStore, type PostgresOptions } from "../../src/store/postgres/postgres.ts";
import { NOON } from "../core/example.ts";
import { until } from "../world.ts";
import { anEvent, connect, MINUTE } from "./events.ts";
import { attemptsOf, claimsOf } from "./looks.ts";
import { aConsent } from "./contract/consents.ts";
import { throughProxy } from "./postgres-proxy.ts";
import { asked, describeWithPostgres, postgresServer } from "./postgres-server.ts";

async function opened(options: PostgresOptions): Promise<ThreadedStore> {
  const store = await openPostgresStore(options);
  onTestFinished(() => store.close());
  return store;
}

const UNHEARD = { code: "STORE_UNAVAILABLE" };

describeWithPostgres("a commit whose answer was lost", () => {
  test("what was claimed, though nobody heard of it, is claimed again a minute later", async () => {
    const url = await (await postgresServer()).database();
    const proxied = await throughProxy(url);
    const store = await opened({ url: proxied.url, directUrl: url });
    const { id: connectionId } = await connect(store);
    await store.append([anEvent("completed")]);
    const now = Date.now() + MINUTE;
    proxied.loseCommit();
    await expect(store.claim({ connectionId, limit: 10, now })).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
    });
    const leased = "SELECT count(*)::int AS n FROM jc.pushes WHERE lease IS NOT NULL";
    await until("it was committed", async () => Object((await asked(url, leased))[0]).n === 1);
    expect(await claimsOf(store, { connectionId, limit: 10, now })).toEqual([]);
    await asked(url, "UPDATE jc.clock_offset SET ms = 61000");
    await until("it is due", async () => (await store.dueWork(now)).length === 1);
    expect(await claimsOf(store, { connectionId, limit: 10, now })).toHaveLength(1);
    await asked(url, "UPDATE jc.clock_offset SET ms = 200000");
    await until("the next sign of life is taken", async () => (await store.dueWork(now)).length === 0);
    expect(await claimsOf(store, { connectionId, limit: 10, now })).toEqual([]);
  });

  test("a job that was begun, though nobody heard of it, is begun by whoever asks again, and by nobody else", async () => {
    const url = await (await postgresServer()).database();
    const proxied = await throughProxy(url);
    const [store, other] = [await opened({ url: proxied.url, directUrl: url }), await opened({ url })];
    const tick = (dueAt: number) => ({ job: "sweep", dueAt, now: dueAt, once: true });
    proxied.loseCommit();
    await expect(store.beginTick(tick(NOON))).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    const held = "SELECT count(*)::int AS n FROM jc.ticks WHERE holder IS NOT NULL";
    await until("it was committed", async () => Object((await asked(url, held))[0]).n === 1);
    expect(await other.beginTick(tick(NOON))).toBe("later");
    expect(await store.beginTick(tick(NOON))).toBe("ours");
    expect(await store.beginTick(tick(NOON))).toBe("later");
    expect(await store.beginTick(tick(NOON + MINUTE))).toBe("later");
    await store.endTick("sweep", NOON, true);
    expect(await other.beginTick(tick(NOON))).toBe("done");
    proxied.loseCommit();
    await expect(store.beginTick(tick(NOON + MINUTE))).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await until("it was committed, too", async () => Object((await asked(url, held))[0]).n === 1);
    expect(await store.beginTick(tick(NOON + 2 * MINUTE))).toBe("ours");
  });

  test("a link for consent that was taken so is taken by who asks again, and by nobody else", async () => {
    const url = await (await postgresServer()).database();
    const proxied = await throughProxy(url);
    const [store, other] = [await opened({ url: proxied.url, directUrl: url }), await opened({ url })];
    await store.openConsent(aConsent("one"));
    const answer = { hash: "one", vendor: "hubspot", now: NOON };
    const kind = async (of: ThreadedStore, how?: "look" | "again") =>
      (await of.takeConsent(how ? { ...answer, how } : answer)).kind;
    proxied.loseCommit();
    await expect(store.takeConsent(answer)).rejects.toMatchObject(UNHEARD);
    expect(await kind(other)).toBe("busy");
    expect(await kind(store, "look")).toBe("taken");
    expect(await kind(store)).toBe("taken");
    expect(await kind(store)).toBe("busy");
    expect(await kind(store, "again")).toBe("taken");
    proxied.loseCommit();
    const end = { outcome: "open", hash: "one", refusal: null } as const;
    await expect(store.endConsents(end, NOON)).rejects.toMatchObject(UNHEARD);
    expect(await kind(other)).toBe("taken");
  });

  test("a place that was taken so is free with the next look for work, and so is one of a claim", async () => {
    const url = await (await postgresServer()).database();
    const proxied = await throughProxy(url);
    const [store, other] = [await opened({ url: proxied.url, directUrl: url }), await opened({ url })];
    const { id: connectionId } = await connect(store);
    await store.append([anEvent("completed")]);
    const call = { ...placesNamed("hubspot/4711", 1), now: 1_000_000 };
    const later = { ...call, now: call.now + MINUTE };
    for (const take of [
      () => store.takeCall(call),
      () => store.claim({ connectionId, limit: 1, now: NOON + MINUTE, window: call }),
    ]) {
      proxied.loseCommit();
      await expect(take()).rejects.toMatchObject(UNHEARD);
      expect(await other.takeCall(later)).toMatchObject({ id: null });
      await store.dueWork(NOON);
      const { id } = await other.takeCall(later);
      expect(id).not.toBeNull();
      expect(await store.takeCall(later)).toMatchObject({ id: null });
      await other.endCall(id ?? 0, call.now - MINUTE);
    }
    proxied.loseCommit();
    await expect(store.takeCall(later)).rejects.toMatchObject(UNHEARD);
    expect(await store.takeCall(later)).not.toMatchObject({ id: null });
  });

  test("what was settled so is told and counted once, though it is settled again", async () => {
    const url = await (await postgresServer()).database();
    const proxied = await throughProxy(url);
    const store = await opened({ url: proxied.url, directUrl: url });
    const { id: connectionId } = await connect(store);
    await store.append([anEvent("completed")]);
    const now = NOON + MINUTE;
    const [claim] = await claimsOf(store, { connectionId, limit: 1, now });
    if (!claim) throw new Error("nothing was claimed");
    const answer = { httpStatus: 200, correlationId: "c", durationMs: 1, reason: null };
    const settlements = [
      {
        claim,
        now,
        outcome: { kind: "delivered", projection: {} },
        attempt: { outcome: "delivered", ...answer },
      },
    ] as const;
    proxied.loseCommit();
    await expect(store.settle(settlements)).rejects.toMatchObject(UNHEARD);
    await store.settle(settlements);
    expect(await store.countPushes({ pushes: { connectionId } })).toMatchObject({ pending: 0, delivered: 1 });
    expect(await attemptsOf(store, { org: "acme", limit: 9 })).toHaveLength(1);
  });
});
