/** What cannot be taken back is asked about at a terminal, and needs `--yes` elsewhere. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { connectedAts } from "../ats/world.ts";
import { atTerminal, missingForTerminal } from "../end-to-end/terminal.ts";
import { connected, succeed, until, WEBHOOK_SECRET, type World } from "../world.ts";

interface Destructive {
  argv: string[];
  /** What the question names. */
  names: RegExp;
  world(): Promise<World>;
  /** What it would take away, as people see it. */
  standing(world: World): Promise<unknown>;
}

const listedIn = async (world: World, argv: string[]) => (await succeed(world, [...argv, "--json"])).json;

const DESTRUCTIVE: Destructive[] = [
  {
    argv: ["disconnect", "hubspot"],
    names: /HubSpot \(acme, production, account \d+\): its tokens are revoked/,
    world: connected,
    standing: async (world) => Object(await listedIn(world, ["status"])).connections[0].state,
  },
  {
    argv: ["secrets", "remove", "jobcannon.webhook-secret"],
    names: /jobcannon\.webhook-secret of every org: numbers 1 and 2, all there are/,
    world: withTwoSecrets,
    standing: (world) => listedIn(world, ["secrets", "list"]),
  },
  {
    argv: ["secrets", "remove", "jobcannon.webhook-secret", "--number", "2"],
    names: /jobcannon\.webhook-secret of every org: number 2 of 2/,
    world: withTwoSecrets,
    standing: (world) => listedIn(world, ["secrets", "list"]),
  },
  {
    argv: ["webhooks", "unsubscribe"],
    names: /removes \S+ at SmartRecruiters: its webhooks reach http\S+ no more/,
    world: async () => {
      const world = await connectedAts();
      await succeed(world, ["webhooks", "subscribe"]);
      return world;
    },
    standing: async (world) => Object(await listedIn(world, ["webhooks", "list"])).subscriptions,
  },
];

async function withTwoSecrets(): Promise<World> {
  const world = await connected();
  await succeed(world, ["secrets", "set", "jobcannon.webhook-secret"], `${WEBHOOK_SECRET.slice(0, -4)}Zm9v`);
  return world;
}

describe.each(DESTRUCTIVE)("$argv", ({ argv, names, world: make, standing }) => {
  test("without a terminal ends with 2 and changes nothing, until --yes", async () => {
    const world = await make();
    const before = await standing(world);
    for (const flags of [[], ["--no-input"]]) {
      const { code, out, err } = await world.run([...argv, ...flags]);
      expect({ code, out }).toEqual({ code: 2, out: "" });
      expect(err).toMatch(names);
      expect(err).toContain("run it again with --yes. Nothing was changed.");
    }
    expect(await standing(world)).toEqual(before);
    await succeed(world, [...argv, "--yes"]);
    expect(await standing(world)).not.toEqual(before);
  });

  test.skipIf(missingForTerminal !== null).each([
    ["n", 3],
    ["", 3],
    ["y", 0],
  ])("at a terminal asks, and %j decides", async (answer, code) => {
    const world = await make();
    const before = await standing(world);
    const terminal = atTerminal(world, argv);
    await terminal.shows("Go on?");
    terminal.type(`${answer}\r`);
    expect(await terminal.ended).toBe(code);
    expect(terminal.screen()).toMatch(names);
    if (code === 0) expect(await standing(world)).not.toEqual(before);
    else expect(await standing(world)).toEqual(before);
  });
});

test
  .skipIf(missingForTerminal !== null)
  .each([[["erase", "-", "--yes"]], [["export", "-"]], [["invites", "import", "-"]]])(
  "Ctrl-C ends what reads from a terminal: %j",
  async (argv) => {
    const world = await connected();
    const terminal = atTerminal(world, argv);
    await until("it heeds signals", () => heedsHangUp(terminal.pid()));
    await sleep(500);
    terminal.type("\u0003");
    await terminal.shows("Interrupted.");
    expect(await terminal.ended).toBe(130);
  },
);

/** Node heeds SIGINT by itself; SIGHUP, the first of all signals, the program does. */
function heedsHangUp(pid: number | null): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return (Number.parseInt(/^SigCgt:\s+\w*(\w)$/m.exec(status)?.[1] ?? "0", 16) & 1) === 1;
  } catch {
    return false;
  }
}
