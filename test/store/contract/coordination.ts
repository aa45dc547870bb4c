import { describe, expect, test } from "vitest";
import { NOON } from "../../core/example.ts";
import { anEvent, connect, HUBSPOT } from "../events.ts";
import { type OpenStore, opened, temporaryDirectory } from "../world.ts";

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
  });

  describe("ticks", () => {
    test("let one of several run a job for its due time", async () => {
      const stateDir = temporaryDirectory();
      const [ours, theirs] = [await opened(open, stateDir), await opened(open, stateDir)];
      expect(await ours.lastTick("sweep")).toBeNull();
      const opens = await Promise.all([ours, theirs].map((store) => store.openTick("sweep", NOON)));
      expect(opens.toSorted()).toEqual([false, true]);
      expect(await theirs.openTick("retry", NOON)).toBe(true);
      expect(await ours.openTick("sweep", NOON + 1)).toBe(true);
      expect(await theirs.lastTick("sweep")).toBe(NOON + 1);
    });
  });

  describe("services", () => {
    test("are known from their entry on, each process once", async () => {
      const store = await opened(open);
      expect(await store.runningServices()).toBe(0);
      await store.enterService();
      await store.enterService();
      expect(await store.runningServices()).toBe(1);
    });
  });

  describe("calls", () => {
    const windowMs = 10_000;

    test("have as many places in a window as the limit says, over all processes", async () => {
      const stateDir = temporaryDirectory();
      const [ours, theirs] = [await opened(open, stateDir), await opened(open, stateDir)];
      const call = { key: "portal", calls: 2, windowMs };
      expect(await ours.takeCall({ ...call, now: NOON })).toBeNull();
      expect(await theirs.takeCall({ ...call, now: NOON + 1 })).toBeNull();
      expect(await ours.takeCall({ ...call, now: NOON + 2 })).toBe(NOON + windowMs);
      expect(await ours.takeCall({ ...call, key: "another", now: NOON + 2 })).toBeNull();
      expect(await theirs.takeCall({ ...call, now: NOON + windowMs })).toBeNull();
      expect(await ours.takeCall({ ...call, now: NOON + windowMs })).toBe(NOON + 1 + windowMs);
    });

    test("keep to a lower limit for as long as it is believed", async () => {
      const store = await opened(open);
      await store.limitCalls({ key: "portal", calls: 1, until: NOON + 100 });
      const call = { key: "portal", calls: 2, windowMs };
      expect(await store.takeCall({ ...call, now: NOON })).toBeNull();
      expect(await store.takeCall({ ...call, now: NOON + 1 })).toBe(NOON + windowMs);
      expect(await store.takeCall({ ...call, now: NOON + 100 })).toBeNull();
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
