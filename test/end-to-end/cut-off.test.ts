/** The built program where it is cut off, or cannot begin. */
import { describe, expect, test } from "vitest";
import { connected, freshWorld, invite, until } from "../world.ts";
import { launch } from "./program.ts";

describe("the demo", () => {
  test("says where it can make no directory, and how to choose another", async () => {
    const world = await freshWorld();
    const { code, err } = await launch(world, ["demo"], { shell: "export TMPDIR=/nonexistent" }).ended;
    expect(code).toBe(2);
    expect(err).toContain(
      "Error: no directory can be made in /nonexistent: ENOENT: no such file or directory",
    );
    expect(err).toContain("Set TMPDIR");
  });

  test("ends with 130 when it is interrupted, whatever it is at", async () => {
    const demo = launch(await freshWorld(), ["demo"]);
    await until("it has begun", () => demo.err().includes("1  Connect a HubSpot portal"));
    demo.child.kill("SIGINT");
    const { code, err } = await demo.ended;
    expect(code).toBe(130);
    expect(err).not.toContain("Error");
  });

  test("ends quietly with 0 when whoever reads it has had enough", async () => {
    const demo = launch(await freshWorld(), ["demo"]);
    await until("it shows the first results", () => demo.out() !== "");
    demo.child.stdout?.destroy();
    const { code, err } = await demo.ended;
    expect(code).toBe(0);
    expect(err).not.toContain("Error");
  });
});

test("an import that is interrupted says how much is stored, and that it can be typed again", async () => {
  const world = await connected();
  const lines = Array.from({ length: 2_000 }, () => JSON.stringify(invite()));
  const importing = launch(world, ["invites", "import", "-"]);
  importing.child.stdin?.write(`${lines.join("\n")}\n`);
  await until("some are stored", async () => {
    const { json } = await world.run(["status", "--json"]);
    return Object(json).invites > 0;
  });
  importing.child.kill("SIGINT");
  const { code, err } = await importing.ended;
  expect(code).toBe(130);
  expect(err).toMatch(
    /[\d,]+ events of it are stored\. Import it again: what is stored already changes nothing\.\nInterrupted\./,
  );
});
