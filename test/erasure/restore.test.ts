/** Who was erased stays erased, whatever backup is restored, and whatever became of the log meanwhile. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { connected, importResults, invite, succeed, type World } from "../world.ts";
import { placesOf } from "./places.ts";

const ANN = "ann.erased@example.com";
const of = (email: string) => invite({ candidate: { email, first_name: "A", last_name: "B" } });
const contactsIn = (world: World) => {
  const log = new Database(join(world.stateDir, "log.db"), { readonly: true });
  const found = log.prepare("SELECT contact FROM invites ORDER BY contact").pluck().all();
  log.close();
  return found;
};

/** A backup that holds Ann, who was erased since; what came after it are two more. */
async function erasedSince(): Promise<{ world: World; file: string }> {
  const world = await connected();
  await importResults(world, [of(ANN), of("bob@example.com")]);
  await succeed(world, ["run", "retry"]);
  const { file } = Object((await succeed(world, ["backup", "--json"])).json);
  await importResults(world, [of("cat@example.com")]);
  await succeed(world, ["erase", "-", "--yes"], ANN);
  await importResults(world, [of("dan@example.com")]);
  return { world, file };
}

async function expectErased(world: World, others: string[]): Promise<void> {
  expect(contactsIn(world)).toEqual(others);
  expect(placesOf(world, ANN).filter((name) => !name.includes("before-restore"))).toEqual([]);
  const { json } = await world.run(["invites", "import", world.file("late.ndjson", [of(ANN)]), "--json"]);
  expect(json).toMatchObject({ stored: 0, refused: 1 });
}

describe("a backup that holds somebody who was erased since", () => {
  test("is restored without them, and with what came after it", async () => {
    const { world, file } = await erasedSince();
    const plan = await succeed(world, ["restore", file, "--dry-run"]);
    expect(plan.out).toContain("\n1 person of it stays erased: that was done since.");
    expect(plan.out).not.toContain(ANN);
    expect(contactsIn(world)).toHaveLength(3);
    const { out } = await succeed(world, ["restore", file, "--yes"]);
    expect(out).toContain("Without one person who was erased since.");
    // What a log holds and what it ever took are two numbers, and each is called what it is.
    expect(out).toContain("it held 2 events, and 2 events of the old log came after it.");
    expect(out).toContain("status tells how many events were ever taken");
    expect((await succeed(world, ["backup"])).out).toContain(", 3 events, 3 invites,");
    expect((await succeed(world, ["status"])).out).toContain("3 invites; 4 events taken in all");
    await expectErased(world, ["bob@example.com", "cat@example.com", "dan@example.com"]);
    await succeed(world, ["run", "retry"]);
    expect(Object.keys(await world.portal.contacts()).toSorted()).toEqual([
      ANN,
      "bob@example.com",
      "cat@example.com",
      "dan@example.com",
    ]);
  });

  test("is restored without them also where nothing of the old log can be read: the vault knows", async () => {
    const { world, file } = await erasedSince();
    writeFileSync(join(world.stateDir, "log.db"), "no log any more".repeat(1_000));
    const plan = await succeed(world, ["restore", file, "--dry-run", "--json"]);
    expect(plan.json).toMatchObject({ old: "unreadable", erased: { people: 1, unknown: 0 } });
    const { json } = await succeed(world, ["restore", file, "--yes", "--json"]);
    expect(json).toMatchObject({ old: "unreadable", erased: { people: 1, events: 0, unknown: 0 } });
    await expectErased(world, ["bob@example.com"]);
  });

  test("is not restored while the vault cannot be read: 5, and the log stays in its place", async () => {
    const { world, file } = await erasedSince();
    const env = {
      JC_VAULT_KEY_FILE: world.file("another.key", ["another key of more than 32 bytes, it is"]),
    };
    const { code } = await world.run(["restore", file, "--yes"], { env });
    expect(code).toBe(5);
    const plan = await world.run(["restore", file, "--dry-run"], { env });
    expect(plan).toMatchObject({ code: 0, out: expect.stringContaining("erased since cannot be told now") });
    expect(contactsIn(world)).toEqual(["bob@example.com", "cat@example.com", "dan@example.com"]);
    expect((await world.run(["run", "retry"])).code).toBe(0);
  });

  test("in a log of which their events came again before it was lost: those are refused too", async () => {
    const { world, file } = await erasedSince();
    await succeed(world, ["erase", "-", "--allow"], ANN);
    await importResults(world, [of(ANN)]);
    await succeed(world, ["erase", "-", "--yes"], ANN);
    const { json } = await succeed(world, ["restore", file, "--yes", "--json"]);
    expect(json).toMatchObject({ erased: { people: 1 } });
    await expectErased(world, ["bob@example.com", "cat@example.com", "dan@example.com"]);
  });
});
