import { describe, expect, test } from "vitest";
import type { Store } from "../../../src/store/contract/store.ts";
import { NOON } from "../../core/example.ts";
import { MINUTE } from "../events.ts";
import { type OpenStore, opened } from "../world.ts";

/** Those that may be tried now. */
async function keepAndDue(store: Store, ...[incidents, now]: Parameters<Store["keepIncidents"]>) {
  return (await store.keepIncidents(incidents, now)).filter(({ dueAt }) => dueAt <= now);
}

export function describeAlerts(open: OpenStore): void {
  const trouble = (key: string) => ({ key, org: "acme", text: `${key} is in trouble` });

  describe("alerts", () => {
    test("are due once for an incident, however often it is found again, until they are sent", async () => {
      const store = await opened(open);
      await keepAndDue(store, [trouble("hubspot")], NOON);
      const [alert] = await keepAndDue(store, [trouble("hubspot")], NOON);
      expect(alert).toMatchObject({ org: "acme", text: "hubspot is in trouble", tries: 0 });
      expect(await keepAndDue(store, [trouble("hubspot")], NOON + MINUTE)).toHaveLength(1);
      await store.noteAlert(alert?.id ?? 0, { sentAt: NOON });
      expect(await keepAndDue(store, [trouble("hubspot")], NOON + 2 * MINUTE)).toEqual([]);
    });

    test("wait for their next try and count the ones they had", async () => {
      const store = await opened(open);
      const [alert] = await keepAndDue(store, [trouble("hubspot")], NOON);
      await store.noteAlert(alert?.id ?? 0, { dueAt: NOON + MINUTE });
      expect(await keepAndDue(store, [trouble("hubspot")], NOON)).toEqual([]);
      expect(await keepAndDue(store, [trouble("hubspot")], NOON + MINUTE)).toMatchObject([{ tries: 1 }]);
    });

    test("are taken by one alone, until it had its time, and by nobody once they are sent", async () => {
      const store = await opened(open);
      const [alert] = await keepAndDue(store, [trouble("hubspot")], NOON);
      if (!alert) throw new Error("nothing to alert of");
      const both = [store.takeAlert(alert, NOON + MINUTE), store.takeAlert(alert, NOON + MINUTE)];
      expect((await Promise.all(both)).toSorted()).toEqual([false, true]);
      expect(await keepAndDue(store, [trouble("hubspot")], NOON)).toEqual([]);
      const [again] = await keepAndDue(store, [trouble("hubspot")], NOON + MINUTE);
      expect(again).toMatchObject({ id: alert.id, tries: 0 });
      await store.noteAlert(alert.id, { sentAt: NOON + MINUTE });
      expect(await store.takeAlert(again ?? alert, NOON + 2 * MINUTE)).toBe(false);
    });

    test("are sent anew for an incident that comes back, whatever becomes of the old one", async () => {
      const store = await opened(open);
      const [old] = await keepAndDue(store, [trouble("hubspot")], NOON);
      expect(await keepAndDue(store, [], NOON + MINUTE)).toEqual([]);
      await keepAndDue(store, [trouble("hubspot")], NOON + 2 * MINUTE);
      await store.noteAlert(old?.id ?? 0, { sentAt: NOON + 2 * MINUTE });
      expect(await keepAndDue(store, [trouble("hubspot")], NOON + 2 * MINUTE)).toHaveLength(1);
    });
  });
}
