/** What the built program says to who types something that cannot be meant, or in a narrow window. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { connected, freshWorld, invite } from "../world.ts";
import { launch } from "./program.ts";

describe("who mistook something hears what it was", () => {
  test("a file in the place of the state directory", async () => {
    const world = await freshWorld();
    const file = join(world.dir, "file");
    writeFileSync(file, "", { mode: 0o644 });
    const { code, out, err } = await launch(world, ["--state-dir", file, "status"]).ended;
    expect(code).toBe(2);
    expect(err).toContain(`cannot be opened: ${file} is no directory`);
    expect(err).toContain("--state-dir");
    expect(out + err).not.toContain("chmod");
  });

  test("a backup without a name", async () => {
    const world = await connected();
    const { code, err } = await launch(world, ["backup", ""]).ended;
    expect(code).toBe(2);
    expect(err).toContain("Error: the backup's file has no name");
  });

  test("events over several lines", async () => {
    const world = await freshWorld();
    const pretty = world.file("pretty.json", [JSON.stringify(invite(), null, 2)]);
    const { code, err } = await launch(world, ["invites", "import", pretty]).ended;
    expect(code).toBe(7);
    expect(err).toContain("jq -c . <file>");
    const mixed = world.file("mixed.json", [invite(), "nonsense"]);
    const other = await launch(world, ["invites", "import", mixed]).ended;
    expect(other.code).toBe(7);
    expect(other.err).not.toContain("jq");
  });
});

test("what came without an id is told from others by a few digits of its body's hash", async () => {
  const world = await connected();
  await world.run(["invites", "import", world.file("events.ndjson", [invite()])]);
  const { out } = await launch(world, ["webhooks", "log", "--vendor", "jobcannon"]).ended;
  expect(out).toMatch(/ [0-9a-f]{12}… invite\.completed /);
  const json = await launch(world, ["webhooks", "log", "--vendor", "jobcannon", "--json"]).ended;
  expect(json.out).toMatch(/"eventId": ?"[0-9a-f]{64}"/);
});

test("in a narrow window an option's text goes below it", async () => {
  const world = await freshWorld();
  const { out } = await launch(world, ["replay", "--help"], { shell: "export COLUMNS=40" }).ended;
  expect(out).toContain(
    "\n  --status <state>\n      of the push: pending, delivered,\n      rejected, held\n",
  );
});
