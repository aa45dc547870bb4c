import { describe, expect, test } from "vitest";
import { HUBSPOT } from "../store/events.ts";
import { DISC_SCORES } from "../world.ts";
import { MINUTE, openStage, people, SECOND, type Stage } from "./stage.ts";

const UPSERT = "/crm/v3/objects/contacts/batch/upsert";
const { jc_disc_d: _lost, ...WITHOUT_D } = DISC_SCORES;

/** A delivery of three calls whose answers are on their way for a while. */
async function underWay(stage: Stage): Promise<void> {
  await stage.fault({ delayMs: 5_000, path: UPSERT, times: 3 });
  await stage.complete(...people(300));
  await stage.pass(SECOND);
  expect(stage.calls.map(({ endedAt }) => endedAt)).toEqual([null, null, null]);
}

async function arrived(stage: Stage): Promise<Record<string, string>[]> {
  await stage.until("all is delivered", async () => (await stage.counts()).delivered === 300, MINUTE);
  expect(await stage.counts()).toMatchObject({ held: 0, pending: 0, rejected: 0 });
  return [...(await stage.contacts()).values()];
}

describe("fields that become known while a delivery is under way", () => {
  test("are filled by that very delivery", async () => {
    const stage = await openStage();
    const { store } = await stage.start();
    await store.saveConnection(HUBSPOT, { knownFields: ["jc_disc_d"] });
    await underWay(stage);
    await stage.through(stage.resync());
    const contacts = await arrived(stage);
    expect(contacts).toHaveLength(300);
    for (const properties of contacts) expect(properties).toMatchObject(DISC_SCORES);
  });

  test("hold nobody who was sent with one that is not among them", async () => {
    const stage = await openStage();
    const { store } = await stage.start();
    const { id, knownFields } = await stage.connection();
    await store.saveConnection(HUBSPOT, { knownFields: null });
    await stage.portal.archiveProperty("jc_disc_d");
    await underWay(stage);
    // As a bootstrap does that finds no room for it.
    await store.saveConnection(HUBSPOT, {
      knownFields: knownFields?.filter((name) => name !== "jc_disc_d") ?? [],
    });
    expect(await store.release(id, { held: ["property"] }, stage.clock.now())).toBe(0);
    const contacts = await arrived(stage);
    expect(contacts).toHaveLength(300);
    for (const properties of contacts) {
      expect(properties).toMatchObject(WITHOUT_D);
      expect(properties).not.toHaveProperty("jc_disc_d");
    }
  });
});
