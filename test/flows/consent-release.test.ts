import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { serving } from "../daemon/serving.ts";
import { connected, invite, until, type World } from "../world.ts";

/** As if the process died after it kept the consent and before it released anything. */
async function cutOff(world: World): Promise<void> {
  const file = world.file("events.ndjson", [invite()]);
  expect((await world.run(["invites", "import", file])).code).toBe(0);
  const log = new Database(join(world.stateDir, "log.db"));
  log.exec(`
    UPDATE connections SET hold_cause = 'reconnect';
    UPDATE pushes SET state = 'held', held_cause = 'reconnect';
    DELETE FROM marks WHERE name = 'released'`);
  log.close();
}

async function pushes(world: World): Promise<unknown> {
  return Object((await world.run(["status", "--json"])).json).pushes;
}

describe("a consent whose process died before it released what was held", () => {
  test("is finished by the service", async () => {
    const world = await connected();
    await cutOff(world);
    await serving(world);
    await until("it is delivered", async () => Object(await pushes(world)).delivered === 1);
  });

  test("is finished where no service runs", async () => {
    const world = await connected();
    await cutOff(world);
    expect((await world.run(["run", "retry"])).code).toBe(0);
    expect(await pushes(world)).toMatchObject({ held: 0, delivered: 1 });
  });

  test("is no reason to release what a disconnect holds", async () => {
    const world = await connected();
    await cutOff(world);
    expect((await world.run(["disconnect", "hubspot", "--yes"])).code).toBe(0);
    const log = new Database(join(world.stateDir, "log.db"));
    onTestFinished(() => void log.close());
    // As it stands while the disconnect still talks to the vendor.
    log.exec("UPDATE connections SET state = 'connected'");
    await world.run(["run", "retry"]);
    const holds = log.prepare("SELECT hold_cause FROM connections").pluck();
    expect(holds.all()).toEqual(["disconnected"]);
    expect(await pushes(world)).toMatchObject({ held: 1, delivered: 0 });
  });
});
