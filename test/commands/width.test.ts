/** What people read fits into the width there is, on stdout and on stderr, with and without colours. */
import { appendFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { connectedAts } from "../ats/world.ts";
import { displayWidth } from "../../src/shared/layout.ts";
import { fakeClock } from "../fake-clock.ts";
import { disc, importResults, invite, type RunOptions, succeed, type World } from "../world.ts";

const WIDTHS = [60, 80, 120];
const REFUSED = {
  status: 400,
  body: {
    status: "error",
    message: `Property values were not valid: ${'[{"isValid":false,"name":"jc_disc_d"}] '.repeat(4)}`,
    category: "VALIDATION_ERROR",
    correlationId: "6a2bfe24-0a52-4d0e-8a8a-a9d8d8dcf8b5",
  },
};

/** Changes nothing, so that it says the same at each width. */
const LOOKS = [
  "status",
  "status --all",
  "status --sandbox",
  "invites list",
  "invites list --limit 2 --reveal",
  "invites show inv_refused",
  "invites show inv_gone",
  "invites show inv_good --local",
  "logs",
  "logs --outcome rejected --reveal",
  "logs --limit 2",
  "logs --summary",
  "logs --runs",
  "logs --requests",
  "invites wanted",
  "invites assign",
  "doctor",
  "replay --status held",
  "replay --status rejected",
  "backfill",
  "resync-properties --dry-run",
  "webhooks list",
  "webhooks log",
  "webhooks subscribe --dry-run",
  "catalog list --job 4711",
  "catalog set --job 4711 --stage Screen --test nonsense --optional --no-input",
  "secrets list",
  "config show",
  "config check",
  "config path",
  "vault status",
  "backup list",
  "run retention --dry-run",
  "run subscriptions",
  "disconnect hubspot --no-input",
  "restore --no-input",
];
/** Mistyped, or not to be done as things are. */
const REFUSALS = [
  "replay",
  "status --org nobody",
  "logs --since soon",
  "logs --runs --follow",
  "invites show nope",
  "invites list --status nonsense",
  "webhooks log --vendor nobody",
  "secrets set nonsense",
  "backup verify nothing",
  "restore nothing --no-input",
  "run nothing",
  "connect nobody",
  "connect hubspot --nonsense",
  "sandbox-test hubspot",
  "sandbox-test smartrecruiters --no-input",
  "nonsense",
  "alerts test",
];

/** Two accounts, one with a result of each kind and trouble of several kinds. */
async function troubled(): Promise<World> {
  const clock = fakeClock(Date.UTC(2026, 10, 22, 12));
  const world = await connectedAts({ clock, env: { JC_HUBSPOT_RECREATE: "never" } });
  await succeed(world, ["connect", "hubspot"]);
  const tests = [disc([68, 41, 55, 180]), { ...disc(), slug: "tarot" }];
  await importResults(world, [
    invite({ invitation_id: "inv_good", email: "ann@example.org", tests }),
    invite({ invitation_id: "inv_gone", email: "ben.with.a.long.name@subsidiary.example.org" }),
  ]);
  await succeed(world, ["run", "retry"]);
  await world.portal.removeContact("ben.with.a.long.name@subsidiary.example.org");
  await world.portal.fault({ ...REFUSED, match: "carla" });
  await importResults(world, [
    invite({
      invitation_id: "inv_gone",
      email: "ben.with.a.long.name@subsidiary.example.org",
      timestamp: "2024-06-01T00:00:00Z",
    }),
    invite({ invitation_id: "inv_refused", email: "carla@example.org" }),
    invite({
      invitation_id: "inv_new",
      email: "dora@example.org",
      tests: [{ slug: "disc", status: "started" }],
      type: "invite.progress",
    }),
  ]);
  await world.run(["run", "retry"]);
  await succeed(world, [
    "catalog",
    "set",
    "--job",
    "4711",
    "--stage",
    "Assessment by phone",
    "--test",
    "disc",
  ]);
  await world.run(["replay", "--status", "rejected", "--yes"]);
  await succeed(world, ["backup"]);
  await clock.advance(45 * 60_000);
  return world;
}

const argvOf = (line: string) => line.split(" ");
/** As they stand at last: a line that is drawn anew has nothing before. */
const linesOf = (text: string) =>
  text.split("\n").map((line) => stripVTControlCharacters(line.split("\r\u001b[2K").at(-1) ?? ""));

/** A word that is longer than the line has it to itself. */
function tooLong(text: string, width: number): string[] {
  return linesOf(text).filter(
    (line) => displayWidth(line) > width && /\S\s+\S/.test(line.replace(/^\s*[!✓✗·–-]\s/, "")),
  );
}

function wordsIn(text: string): Set<string> {
  // A pill has its brackets only where it has no colour.
  return new Set(
    linesOf(text).flatMap((line) => line.replace(/\[((?:Not )?[Cc]onnected)\]/, "$1").split(/\s+/)),
  );
}

const NOTE = /not shown for want of room:[^)]*\)/g;

/** What is no word of the same output without a width: a part of one. */
function brokenWords(narrow: string, whole: string): string[] {
  const known = wordsIn(whole);
  return [...wordsIn(narrow.replace(NOTE, ""))].filter((word) => {
    if (word === "\\" || word === "" || known.has(word)) return false;
    // Row by row a heading has a colon.
    return !(word.endsWith(":") && known.has(word.slice(0, -1)));
  });
}

async function misfits(world: World, line: string, whole: string, options: RunOptions & { width: number }) {
  const { width, ...how } = options;
  const { out, err } = await world.run(argvOf(line), how);
  return [...tooLong(out + err, width), ...brokenWords(out + err, whole)].map(
    (each) => `${line} at ${width}: ${each}`,
  );
}

/** In colours at the first width. */
async function misfitsOf(
  world: World,
  lines: readonly string[],
  widths: readonly number[],
): Promise<string[]> {
  const found: string[] = [];
  for (const line of lines) {
    const { out, err } = await world.run(argvOf(line));
    expect(out + err, line).not.toBe("");
    for (const width of widths) {
      const plain = { width, env: { COLUMNS: String(width), NO_COLOR: "1" } };
      found.push(...(await misfits(world, line, out + err, plain)));
    }
    const width = widths[0] ?? 80;
    const coloured = { width, isTerminal: true, columns: width, env: { TERM: "xterm-256color" } };
    found.push(...(await misfits(world, line, out + err, coloured)));
  }
  return found;
}

describe("what people read", () => {
  test("has no line over the width and no broken word, whatever is looked at or refused", async () => {
    const world = await troubled();
    expect(await misfitsOf(world, LOOKS, WIDTHS)).toEqual([]);
    expect(await misfitsOf(world, REFUSALS, [60])).toEqual([]);
    if (process.env.JC_SHOW_WIDTHS)
      for (const width of WIDTHS)
        for (const line of [...LOOKS, ...REFUSALS]) {
          const { out, err } = await world.run(argvOf(line), { env: { COLUMNS: String(width) } });
          appendFileSync(process.env.JC_SHOW_WIDTHS, `\n===== ${width}: ${line}\n${out}--\n${err}`);
        }
    const coloured = await world.run(["status"], { isTerminal: true, columns: 60, env: { TERM: "xterm" } });
    expect(coloured.out).toContain("\u001b[");
  });
});
