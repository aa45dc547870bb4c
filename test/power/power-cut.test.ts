/**
 * Power cuts under load: what the built `serve` wrote and synced is recorded, and its files are made anew as a disk may
 * hold them after a cut at any instant. `.ci/long` makes more cuts than the suite does: `JC_TEST_CUTS=200`.
 */
import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { changedProgram, type Recorded, recorded } from "./load.ts";
import { cutPower } from "./cuts.ts";
import { createDisk, type Random } from "./disk.ts";

const CUTS = Number(process.env.JC_TEST_CUTS ?? 20);
const SEED = Number(process.env.JC_TEST_SEED ?? 14);
const HAS_ALL = process.env.JC_TEST_ALL_PARTS !== undefined;
const canRecord = process.platform === "linux" && (HAS_ALL || hasGcc());

function hasGcc(): boolean {
  try {
    execFileSync("gcc", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Mulberry32: the same cuts of the same record for the same seed. */
function randomOf(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Nothing was written past the recorder: what it noted, all kept, is what the files hold. */
function expectWhole({ before, after, operations }: Recorded): void {
  const disk = createDisk(before);
  for (const operation of operations) disk.apply(operation);
  const seen = disk.seen();
  for (const name of ["log.db", "log.db-wal", "vault.db", "vault.db-journal"])
    expect(seen.get(name)?.equals(after.get(name) ?? Buffer.alloc(0)), name).toBe(
      after.has(name) ? true : undefined,
    );
}

describe.skipIf(!canRecord)("a power cut under load, with one-use refresh tokens", () => {
  test(`${CUTS} times loses nothing that was acknowledged, and no token that was used`, async () => {
    const it = await recorded({ refreshes: 6 + CUTS / 10 });
    expectWhole(it);
    expect((await it.world.run(["status", "--json"])).json).toMatchObject({ retention: { invites: 300 } });
    expect(await cutPower(it, CUTS, randomOf(SEED))).toEqual({ events: [], tokens: [] });
  });

  test("loses acknowledged events where the log is written with synchronous=NORMAL, and tokens where the vault waits for no disk", async () => {
    const bin = changedProgram([
      ["synchronous = FULL", "synchronous = NORMAL"],
      ["mode===2", "mode===1"],
      ["synchronous = EXTRA", "synchronous = OFF"],
    ]);
    const it = await recorded({ refreshes: 5, bin });
    const { events, tokens } = await cutPower(it, 20, randomOf(SEED));
    expect(events).not.toEqual([]);
    expect(tokens).not.toEqual([]);
  });
});
