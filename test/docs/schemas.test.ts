/** What scripts rely on from the first release is what the program prints: docs/schemas/ against real output. */
import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { connected, invite, succeed } from "../world.ts";

const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });

function faultsIn(name: string, output: unknown): unknown {
  const schema: unknown = JSON.parse(
    readFileSync(new URL(`../../docs/schemas/${name}.json`, import.meta.url), "utf8"),
  );
  const check = ajv.compile(Object(schema));
  return check(output) ? null : check.errors;
}

test("what is printed with --json is what its schema says", async () => {
  const world = await connected();
  const file = world.file("events.ndjson", [invite(), "no JSON"]);
  const imported = await world.run(["invites", "import", file, "--json"]);
  expect(faultsIn("invites-import", imported.json)).toBe(null);
  const outputs = [
    ["rerun", ["replay", "--status", "delivered"]],
    ["rerun", ["backfill"]],
    ["resync-properties", ["resync-properties"]],
    ["status", ["status"]],
  ] as const;
  for (const [name, words] of outputs)
    expect(faultsIn(name, (await succeed(world, [...words, "--json"])).json), words.join(" ")).toBe(null);
  for (const words of [["nonsense"], ["connect", "nobody"], ["replay"]]) {
    const { code, err } = await world.run([...words, "--json"]);
    expect(code).toBe(2);
    expect(faultsIn("error", JSON.parse(err)), words.join(" ")).toBe(null);
  }
});

test("what differs from a schema is found", () => {
  expect(faultsIn("rerun", { version: 1, matched: "1" })).not.toBe(null);
  expect(faultsIn("error", { version: 2 })).not.toBe(null);
});
