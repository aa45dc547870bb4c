import { describe, expect, test } from "vitest";
import { NOON } from "../../core/example.ts";
import { anEvent, connect, HUBSPOT, SMARTRECRUITERS } from "../events.ts";
import { type OpenStore, opened } from "../world.ts";
import type { Store } from "../../../src/store/contract/store.ts";
import { temporaryDirectory } from "../../directory.ts";

const DAY = 24 * 3_600_000;

const FACTS = {
  startedAt: 1_700_000_000_000,
  version: "1.2.3",
  build: "b",
  directory: "/opt/program",
  config: null,
  lostLines: 0,
};

export function describeCoordination(open: OpenStore): void {
  describe("connections", () => {
    test("are created once and change only in the fields given", async () => {
      const store = await opened(open);
      const created = await connect(store);
      const changed = await store.saveConnection(HUBSPOT, { banner: "look here" });
      expect(changed).toEqual({ ...created, banner: "look here" });
      expect(await store.connections()).toEqual([changed]);
    });

    test("are listed by org, or all of them", async () => {
      const store = await opened(open);
      const acme = await connect(store);
      const other = await connect(store, { org: "other" });
      expect(await store.connections("acme")).toEqual([acme]);
      expect(await store.connections()).toEqual([acme, other]);
    });

    test("have an account that is theirs alone, until its org is disconnected", async () => {
      const store = await opened(open);
      const acme = await connect(store);
      const { account } = acme;
      const theirs = { ...HUBSPOT, org: "other" };
      for (const key of [theirs, { ...theirs, environment: "sandbox" } as const])
        await expect(store.saveConnection(key, { state: "connected", account })).rejects.toMatchObject({
          code: "USAGE",
          message: expect.stringContaining("belongs to acme"),
        });
      expect(await store.connections()).toEqual([acme]);
      await store.saveConnection({ ...HUBSPOT, environment: "sandbox" }, { state: "connected", account });
      await store.saveConnection({ ...SMARTRECRUITERS, org: "other" }, { state: "connected", account });
      for (const environment of ["production", "sandbox"] as const)
        await store.saveConnection({ ...HUBSPOT, environment }, { state: "not_connected" });
      expect(await store.saveConnection(theirs, { state: "connected", account })).toMatchObject({ account });
    });

    test("that are not confirmed are held in the step that says so, until a release", async () => {
      const store = await opened(open);
      const { account } = await connect(store, { org: "other" });
      const { id } = await store.saveConnection(
        { ...HUBSPOT, org: "third" },
        { state: "connected", account: account && { ...account, id: "4712" }, isConfirmed: false },
      );
      await store.raise(id, { subjects: ["ann@example.com"] }, NOON);
      expect((await store.claim({ connectionId: id, limit: 10, now: NOON })).claims).toEqual([]);
      const counts = () => store.countPushes({ pushes: { connectionId: id } }, { causes: true });
      expect(await counts()).toMatchObject({ held: 1, heldFor: { confirm: 1 } });
      await store.saveConnection({ ...HUBSPOT, org: "third" }, { isConfirmed: true });
      expect((await store.claim({ connectionId: id, limit: 10, now: NOON })).claims).toEqual([]);
      expect(await store.release(id, { held: ["confirm"] }, NOON)).toBe(1);
      expect((await store.claim({ connectionId: id, limit: 10, now: NOON })).claims).toHaveLength(1);
    });

    test("are found one by one, by id or by name, with what they are told about", async () => {
      const store = await opened(open);
      const acme = await connect(store);
      const ats = await connect(store, SMARTRECRUITERS);
      expect(await store.connection(acme.id)).toEqual(acme);
      expect(await store.connection(SMARTRECRUITERS)).toEqual(ats);
      expect([acme.subject, ats.subject]).toEqual(["contact", "assessment"]);
      expect(await store.connection(ats.id + 1)).toBeNull();
      expect(await store.connection({ ...HUBSPOT, environment: "sandbox" })).toBeNull();
    });
  });

  describe("marks", () => {
    test("are moved forward by one of several, each by itself", async () => {
      const stateDir = temporaryDirectory();
      const [ours, theirs] = [await opened(open, stateDir), await opened(open, stateDir)];
      const { id, marks } = await connect(ours);
      const other = await connect(ours, { org: "other" });
      expect(marks).toEqual({});
      const moves = await Promise.all([ours, theirs].map((store) => store.mark(id, "probe", NOON)));
      expect(moves.toSorted()).toEqual([false, true]);
      expect(await theirs.mark(id, "released", NOON)).toBe(true);
      expect(await theirs.mark(other.id, "probe", NOON)).toBe(true);
      expect(await ours.mark(id, "probe", NOON + 1)).toBe(true);
      expect(await theirs.mark(id, "probe", NOON)).toBe(false);
      expect((await theirs.connection(id))?.marks).toEqual({ probe: NOON + 1, released: NOON });
    });

    test("that were set while the clock was ahead give way, once", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      const ahead = Date.now() + 400 * DAY;
      expect(await store.mark(id, "probe", ahead)).toBe(true);
      expect(await store.mark(id, "probe", ahead)).toBe(false);
      expect(await store.mark(id, "probe", NOON)).toBe(true);
      expect(await store.mark(id, "probe", NOON)).toBe(false);
    });

    test("stay when the connection changes", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      await store.mark(id, "bootstrap begun", 1);
      const changed = await store.saveConnection(HUBSPOT, { banner: "look here" });
      expect(changed.marks).toEqual({ "bootstrap begun": 1 });
    });
  });

  describe("runs of jobs", () => {
    const sweep = { job: "sweep", dueAt: NOON, now: NOON, once: true };

    test("are begun by one, and not again once they are done", async () => {
      const stateDir = temporaryDirectory();
      const [ours, theirs] = [await opened(open, stateDir), await opened(open, stateDir)];
      const begun = await Promise.all([ours, theirs].map((store) => store.beginTick(sweep)));
      expect(begun.toSorted()).toEqual(["later", "ours"]);
      const first = begun[0] === "ours" ? ours : theirs;
      const next = { ...sweep, dueAt: NOON + DAY, now: NOON + DAY };
      expect(await theirs.beginTick(next)).toBe("later");
      expect(await theirs.beginTick({ ...sweep, job: "alerts" })).toBe("ours");
      await first.endTick("sweep", NOON, true);
      expect(await theirs.beginTick(sweep)).toBe("done");
      expect(await theirs.beginTick(next)).toBe("ours");
    });

    test("that count once are remembered whatever time the clock shows, others only the newest", async () => {
      const store = await opened(open);
      const far = NOON + 3_000 * DAY;
      for (const once of [true, false]) {
        const job = `once ${once}`;
        for (const dueAt of [NOON, far]) {
          expect(await store.beginTick({ job, dueAt, now: dueAt, once })).toBe("ours");
          await store.endTick(job, dueAt, true);
        }
        const again = { job, dueAt: NOON, now: NOON, once };
        expect(await store.beginTick(again)).toBe(once ? "done" : "ours");
      }
    });

    test("that failed rest, each time twice as long, unless the clock was set back", async () => {
      const store = await opened(open);
      const MINUTE = 60_000;
      const at = (minutes: number) => store.beginTick({ ...sweep, now: NOON + minutes * MINUTE });
      const fail = () => store.endTick("sweep", NOON, false);
      expect(await at(0)).toBe("ours");
      await fail();
      expect([await at(0.9), await at(1)]).toEqual(["later", "ours"]);
      await fail();
      expect([await at(2.9), await at(3)]).toEqual(["later", "ours"]);
      await fail();
      expect([await at(4), await at(2)]).toEqual(["later", "ours"]);
    });
  });

  describe("services", () => {
    test("are known from their entry on, each process once", async () => {
      const store = await opened(open);
      expect(await store.runningServices()).toHaveLength(0);
      await store.runningServices({ enter: FACTS });
      await store.runningServices({ enter: FACTS });
      expect(await store.runningServices()).toHaveLength(1);
    });

    test("tell what they run, and again when that changed", async () => {
      const store = await opened(open);
      expect(await store.runningServices()).toEqual([]);
      await store.runningServices({ enter: FACTS });
      const changed = { ...FACTS, config: { file: "/etc/config.toml", digest: "abc" }, lostLines: 7 };
      await store.runningServices({ enter: changed });
      expect(await store.runningServices()).toEqual([changed]);
    });
  });

  describe("calls", () => {
    const windowMs = 10_000;
    const call = { key: "portal", calls: 2, windowMs, aheadMs: 0 };
    const taken = (at: number) => ({ at, id: expect.any(Number) });
    const full = (at: number) => ({ at, id: null });
    /** Answered as soon as it may go. */
    const passing = async (store: Store, request: Parameters<Store["takeCall"]>[0]) => {
      const slot = await store.takeCall(request);
      if (slot.id !== null) await store.endCall(slot.id, slot.at);
      return slot;
    };

    test("have as many slots in a window as the limit says, over all processes", async () => {
      const stateDir = temporaryDirectory();
      const [ours, theirs] = [await opened(open, stateDir), await opened(open, stateDir)];
      expect(await passing(ours, { ...call, now: NOON })).toEqual(taken(NOON));
      expect(await passing(theirs, { ...call, now: NOON + 1 })).toEqual(taken(NOON + 1));
      expect(await ours.takeCall({ ...call, now: NOON + 2 })).toEqual(full(NOON + windowMs));
      expect(await ours.takeCall({ ...call, key: "another", now: NOON + 2 })).toEqual(taken(NOON + 2));
      expect(await theirs.takeCall({ ...call, now: NOON + windowMs })).toEqual(taken(NOON + windowMs));
      expect(await ours.takeCall({ ...call, now: NOON + windowMs })).toEqual(full(NOON + 1 + windowMs));
    });

    test("give up their slots one window after their answers, and not before they have any", async () => {
      const store = await opened(open);
      const one = { ...call, calls: 1 };
      const { id } = await store.takeCall({ ...one, now: NOON });
      expect(await store.takeCall({ ...one, now: NOON + 25_000 })).toEqual(full(NOON + 25_000 + windowMs));
      await store.endCall(id ?? 0, NOON + 26_000);
      expect(await store.takeCall({ ...one, now: NOON + 30_000 })).toEqual(full(NOON + 26_000 + windowMs));
      expect(await store.takeCall({ ...one, now: NOON + 36_000 })).toEqual(taken(NOON + 36_000));
    });

    test("take a slot a little ahead, for when it is free", async () => {
      const stateDir = temporaryDirectory();
      const [ours, theirs] = [await opened(open, stateDir), await opened(open, stateDir)];
      const ahead = { ...call, aheadMs: 100 };
      for (const now of [NOON, NOON + 50]) expect(await passing(ours, { ...ahead, now })).toEqual(taken(now));
      const before = NOON + windowMs - 100;
      expect(await ours.takeCall({ ...ahead, now: before - 1 })).toEqual(full(NOON + windowMs));
      expect(await passing(ours, { ...ahead, now: before })).toEqual(taken(NOON + windowMs));
      expect(await theirs.takeCall({ ...ahead, now: before })).toEqual(full(NOON + windowMs + 50));
      expect(await passing(theirs, { ...ahead, now: before + 50 })).toEqual(taken(NOON + windowMs + 50));
      expect(await ours.takeCall({ ...ahead, now: before + windowMs - 1 })).toEqual(
        full(NOON + 2 * windowMs),
      );
    });

    test("that did not go give back their slots as they were", async () => {
      const store = await opened(open);
      const one = { ...call, calls: 1, aheadMs: 100 };
      await passing(store, { ...one, now: NOON });
      const { id, at } = await store.takeCall({ ...one, now: NOON + windowMs - 50 });
      await store.endCall(id ?? 0, at - windowMs);
      const again = { ...one, aheadMs: 0 };
      expect(await store.takeCall({ ...again, now: at - 1 })).toEqual(full(at));
      expect(await store.takeCall({ ...again, now: at })).toEqual(taken(at));
    });

    test("stay open where one asks whose request is older than they are", async () => {
      const store = await opened(open);
      const one = { ...call, calls: 1, aheadMs: 100 };
      const { id } = await store.takeCall({ ...one, now: NOON + 1_000 });
      await store.takeCall({ ...one, now: NOON });
      const later = NOON + 1_000 + 2 * windowMs;
      expect(await store.takeCall({ ...one, now: later })).toEqual(full(later + windowMs));
      await store.endCall(id ?? 0, later);
      await store.takeCall({ ...one, now: later - 500 });
      expect(await store.takeCall({ ...one, aheadMs: 0, now: later + windowMs - 1 })).toEqual(
        full(later + windowMs),
      );
    });

    test("of before the machine's restart, when the clock began anew, are answered by now", async () => {
      const store = await opened(open);
      for (let n = 0; n < 2; n += 1) await passing(store, { ...call, now: NOON });
      expect(await store.takeCall({ ...call, now: 500 })).toEqual(full(500 + windowMs));
      expect(await store.takeCall({ ...call, now: 500 + windowMs })).toEqual(taken(500 + windowMs));
    });

    test("keep to a lower limit until the vendor lifts it, in every process", async () => {
      const stateDir = temporaryDirectory();
      const [ours, theirs] = [await opened(open, stateDir), await opened(open, stateDir)];
      await ours.limitCalls({ key: "portal", calls: 1 });
      expect(await passing(theirs, { ...call, now: NOON })).toEqual(taken(NOON));
      expect(await theirs.takeCall({ ...call, now: NOON })).toEqual(full(NOON + windowMs));
      await ours.limitCalls({ key: "portal", calls: null });
      expect(await theirs.takeCall({ ...call, now: NOON })).toEqual(taken(NOON));
    });

    test("are never raised by what a vendor told", async () => {
      const store = await opened(open);
      await store.limitCalls({ key: "portal", calls: 9 });
      for (let n = 0; n < 2; n += 1) await passing(store, { ...call, now: NOON });
      expect(await store.takeCall({ ...call, now: NOON })).toEqual(full(NOON + windowMs));
    });
  });

  describe("watch", () => {
    test("calls back after this store's own work", async () => {
      const store = await opened(open);
      const seen = new Promise<void>((resolve) => store.watch(resolve));
      await store.append([anEvent("completed")]);
      await seen;
    });

    test("calls back after another's work", async () => {
      const stateDir = temporaryDirectory();
      const [ours, theirs] = [await opened(open, stateDir), await opened(open, stateDir)];
      const seen = new Promise<void>((resolve) => ours.watch(resolve));
      await theirs.append([anEvent("completed")]);
      await seen;
    });

    test("is silent once it is stopped", async () => {
      const store = await opened(open);
      let calls = 0;
      const stop = store.watch(() => {
        calls += 1;
      });
      await store.append([anEvent("completed")]);
      await Promise.resolve();
      stop();
      const before = calls;
      await store.append([anEvent("expired")]);
      await Promise.resolve();
      expect([before > 0, calls]).toEqual([true, before]);
    });
  });
}
