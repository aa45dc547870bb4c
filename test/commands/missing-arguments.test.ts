/** What a command lacks is asked for where a person is, and nowhere else. */
import { expect, test } from "vitest";
import { launch } from "../end-to-end/program.ts";
import { atTerminal, missingForTerminal } from "../end-to-end/terminal.ts";
import { freshWorld, invite, prepared } from "../world.ts";

const ENTER = "\r";

test.skipIf(missingForTerminal !== null)("a choice is offered at a terminal, and taken", async () => {
  const terminal = atTerminal(await prepared(), ["run"]);
  await terminal.shows("retention");
  terminal.type(ENTER);
  expect(await terminal.ended).toBe(0);
  expect(terminal.screen()).toContain("retry");
  expect(terminal.screen()).not.toContain("missing required argument");
});

test.skipIf(missingForTerminal !== null)(
  "what is no matter of choice is typed, behind options too",
  async () => {
    const world = await prepared();
    const file = world.file("-events.ndjson", [invite()]);
    const terminal = atTerminal(world, ["invites", "import", "--verbose"]);
    await terminal.shows("file (NDJSON");
    terminal.type(file + ENTER);
    expect(await terminal.ended).toBe(0);
    expect(terminal.screen()).toContain("1 stored");
  },
);

test.skipIf(missingForTerminal !== null)(
  "Ctrl-C instead of an answer cancels, and does nothing",
  async () => {
    const terminal = atTerminal(await freshWorld(), ["connect"]);
    await terminal.shows("smartrecruiters");
    terminal.type("\u0003");
    expect(await terminal.ended).toBe(3);
    expect(terminal.screen()).toContain("Cancelled. Nothing was done");
  },
);

test.skipIf(missingForTerminal !== null)("--no-input asks for nothing at a terminal, either", async () => {
  const terminal = atTerminal(await freshWorld(), ["connect", "--no-input"]);
  expect(await terminal.ended).toBe(2);
  expect(terminal.screen()).toContain("missing required argument 'vendor'");
});

test("without a terminal what is missing is said, with exit code 2", async () => {
  const world = await freshWorld();
  expect(await world.run(["connect"])).toMatchObject({
    code: 2,
    out: "",
    err: expect.stringContaining("Error: missing required argument 'vendor'"),
  });
  const { code, err } = await world.run(["secrets", "set", "--json"]);
  expect(code).toBe(2);
  expect(JSON.parse(err)).toMatchObject({
    error: { code: "USAGE", message: "missing required argument 'secret'" },
  });
});

test.each([
  [["store", "copy"], "--to is missing", "jc-integrations store copy --to "],
  [["store", "grants"], "--role is missing", "jc-integrations store grants --role <role>"],
])("%j without what it needs says which line to type", async (argv, what, line) => {
  const world = await freshWorld();
  const { code, out, err } = await launch(world, argv).ended;
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toContain(`Error: ${what}`);
  expect(err).toContain(`→ ${line}`);
});
