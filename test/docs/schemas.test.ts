/** What scripts rely on from the first release is what the program prints: docs/schemas/ against real output. */
import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { createProgram } from "../../src/main.ts";
import { LOOKS, troubled } from "../commands/troubled.ts";
import { outsideOf } from "../outside.ts";
import { faultsIn, schemaNames } from "./schemas.ts";
import { invite, type Run, type Running, type RunOptions, until, type World } from "../world.ts";

/** Commands that print no object of their own. */
const TEXT_ONLY = {
  completion: "a shell's script",
  demo: "told to people, step by step",
  help: "text and documents",
  "service exec": "the output of the command that it runs",
};
/** Commands that print no object in this world, and why. */
const NOT_MET = {
  "invites assign": "needs a company that tells results by candidate: test/published/assign.test.ts",
  "service status": "needs an installed service: test/systemd/protocol.test.ts",
  "store copy": "needs a database: test/end-to-end/store-copy.test.ts",
};

/** A service has places of its own. */
const NO_PLACES = { JC_CONFIG: "", JC_STATE_DIR: "" };
/** In this order: each finds what those before it left. */
const CHANGES: readonly (readonly [line: string, options?: RunOptions])[] = [
  ["invites import more.ndjson"],
  ["replay --status delivered"],
  ["replay --status rejected --yes"],
  ["backfill"],
  ["backfill --dry-run"],
  ["backfill --yes"],
  ["resync-properties"],
  ["connect hubspot"],
  ["connect hubspot --confirm"],
  ["connect hubspot --via-service"],
  ["connect hubspot --sandbox"],
  ["sandbox-test hubspot"],
  ["catalog set --job 4711 --stage Screen --test disc"],
  ["catalog show --job 4711 --stage Screen"],
  ["webhooks subscribe"],
  ["webhooks list"],
  ["webhooks rotate-secret"],
  ["webhooks unsubscribe --yes"],
  ["secrets set telegram.bot-token", { stdin: "4711:a-made-up-token" }],
  ["alerts test", { env: { JC_ALERTS_TELEGRAM_CHAT_ID: "4711" } }],
  ["secrets remove telegram.bot-token --yes"],
  ["vault status", { env: { JC_SECRET_HUBSPOT_CLIENT_SECRET: "another" } }],
  ["vault rekey"],
  ["admin link"],
  ["run retry"],
  ["run sweep"],
  ["run retention --compact"],
  ["run refresh"],
  ["backup"],
  ["backup verify"],
  ["export ann@example.org"],
  ["erase ann@example.org --dry-run"],
  ["erase ann@example.org --yes"],
  ["erase ann@example.org --allow --yes"],
  ["disconnect smartrecruiters --yes"],
  ["restore saved.backup --dry-run"],
  ["restore saved.backup --yes"],
  ["store new-log --yes"],
  ["store migrate"],
  ["store grants --role jc_serve"],
  ["config init --config new.toml --org acme --set hubspot.client_id=any"],
  ["config check", { env: { JC_CONFIG: "nowhere.toml" } }],
  ["service install --user --dry-run", { env: NO_PLACES }],
  ["service uninstall --user --dry-run", { env: NO_PLACES }],
];
/** Each prints lines until it is stopped. */
const STREAMS = ["serve", "emulator --port 0", "logs --follow", "status --watch"];

/** The name of the schema for each command. */
const named = schemaNames();

async function commandsOf(): Promise<string[]> {
  const said = (command: Command, above: string): string[] => {
    const name = `${above} ${command.name()}`.trim();
    const below = command.commands.flatMap((each) => said(each, name));
    // A group by itself prints its help; `backup` is a command and a group.
    return command.commands.length > 0 && name !== "backup" ? below : [name, ...below];
  };
  const program = await createProgram(outsideOf(), { first: undefined, asJson: true });
  return program.commands.flatMap((each) => said(each, "")).toSorted();
}

/** Of a command line that names one: the longest that it begins with. */
function commandIn(line: string): string {
  const found = [...named.keys()].filter((name) => `${line} `.startsWith(`${name} `));
  return found.toSorted((a, b) => b.length - a.length)[0] ?? "";
}

/** What is not as its schema says, by command line. */
function faultsOf(line: string, { out, err, code }: Run): object[] {
  const lines = (name: string, text: string) =>
    text
      .split("\n")
      .filter((each) => each !== "")
      .map((each) => ({ line, each, faults: faultsIn(name, JSON.parse(each)) }));
  const told = out === "" ? [] : lines(named.get(commandIn(line)) ?? "", out);
  // The error comes last: a trial that waits for a person has said its link there before.
  const failed = code === 0 ? [] : lines("error", err.trim().split("\n").at(-1) ?? "");
  if (told.length + failed.length === 0) return [{ line, code, err, faults: "it printed nothing" }];
  return [...told, ...failed].filter(({ faults }) => faults !== null);
}

async function printed(world: World, line: string): Promise<Run> {
  const running: Running = world.start([...line.split(" "), "--json"]);
  await until(`${line} prints a line`, () => running.out().includes("\n"));
  return await running.stop();
}

describe("docs/schemas", () => {
  test("has what each command prints with --json, but for those that print no object", async () => {
    expect([...named.keys(), ...Object.keys(TEXT_ONLY)].toSorted()).toEqual(await commandsOf());
  });

  test("is what the program prints: looked at, changed, refused, streamed", async () => {
    const world = await troubled();
    Object.assign(world.env, { JC_ALERTS_TELEGRAM_API_BASE: world.emulator.telegram });
    world.file("more.ndjson", [invite({ invitation_id: "inv_more", email: "eve@example.org" }), "no JSON"]);
    const met = new Set<string>();
    const faults: object[] = [];
    const judge = (line: string, run: Run) => {
      if (run.out !== "") met.add(commandIn(line));
      faults.push(...faultsOf(line, run));
    };
    for (const [line, options] of [
      ...LOOKS.map((look) => [look] as const),
      ["backup saved.backup"] as const,
      ...CHANGES,
    ])
      judge(line, await world.run([...line.split(" "), "--json"], options));
    for (const line of STREAMS) judge(line, await printed(world, line));
    expect(faults).toEqual([]);
    expect([...named.keys()].filter((name) => !met.has(name)).toSorted()).toEqual(Object.keys(NOT_MET));
    for (const line of ["nonsense", "connect nobody", "replay"]) {
      const { code, err } = await world.run([...line.split(" "), "--json"]);
      expect(code).toBe(2);
      expect(faultsIn("error", JSON.parse(err)), line).toBe(null);
    }
  });

  test("finds what differs", () => {
    expect(faultsIn("rerun", { version: 1, matched: "1" })).not.toBe(null);
    expect(faultsIn("error", { version: 2 })).not.toBe(null);
    expect(faultsIn("logs", { version: 1, attempts: [{}], more: 0 })).not.toBe(null);
    expect(faultsIn("status", { version: 1, orgs: [{}] })).not.toBe(null);
  });
});
