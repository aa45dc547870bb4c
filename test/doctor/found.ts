/** What `doctor` says, and an operator who types what it prints, as it is printed. */
import { execFileSync } from "node:child_process";
import * as v from "valibot";
import { expect } from "vitest";
import type { Run, RunOptions, World } from "../world.ts";

const Found = v.object({
  id: v.string(),
  level: v.picklist(["error", "warning", "note"]),
  what: v.string(),
  why: v.string(),
  command: v.nullable(v.string()),
  who: v.nullable(v.string()),
  exit: v.number(),
});
export type Found = v.InferOutput<typeof Found>;

const Report = v.object({
  version: v.literal(1),
  org: v.nullable(v.string()),
  findings: v.array(Found),
  areas: v.array(
    v.object({
      id: v.string(),
      label: v.string(),
      isWell: v.boolean(),
      says: v.string(),
      notLookedAt: v.nullable(v.string()),
    }),
  ),
  fixed: v.array(v.object({ id: v.string(), did: v.nullable(v.string()), problem: v.nullable(v.string()) })),
  isPart: v.boolean(),
});

export async function examined(world: World, argv: readonly string[] = [], options: RunOptions = {}) {
  const run = await world.run(["doctor", ...argv, "--json"], options);
  return { ...v.parse(Report, run.json, { message: run.err }), code: run.code, err: run.err };
}

/** The one of that id; undefined where all is well there. */
export async function found(
  world: World,
  id: string,
  argv: readonly string[] = [],
  options: RunOptions = {},
): Promise<(Found & { code: number }) | undefined> {
  const { findings, code } = await examined(world, argv, options);
  const one = findings.find((each) => each.id === id);
  return one && { ...one, code };
}

/** Types the printed command, as a shell takes it; `stdin` is what a person is asked for there. */
export async function typed(world: World, command: string | null, options: RunOptions = {}): Promise<Run> {
  if (!command?.startsWith("jc-integrations ")) throw new Error(`no command of ours: ${command}`);
  return await world.run(wordsOf(command).slice(1), options);
}

function wordsOf(command: string): string[] {
  const out = execFileSync("sh", ["-c", `printf '%s\\0' ${command}`], { encoding: "utf8" });
  return out.split("\0").slice(0, -1);
}

/** What is broken is found with that exit code; the printed command, as it is printed, mends it. */
export async function expectMended(
  world: World,
  { id, exit, argv = [], stdin = "" }: { id: string; exit: number; argv?: readonly string[]; stdin?: string },
): Promise<Found> {
  const before = await found(world, id, argv);
  expect(before, id).toBeDefined();
  expect(before?.exit, id).toBe(exit);
  if (exit > 0) expect(before?.code, id).toBe(exit);
  const run = await typed(world, before?.command ?? null, { stdin });
  expect([run.code, run.err], before?.command ?? "").toEqual([0, expect.anything()]);
  expect(await found(world, id, argv), id).toBeUndefined();
  return before as Found;
}

/** For what no command mends: somebody is told to do something somewhere; once it is done it is found no more. */
export async function expectTold(
  world: World,
  {
    id,
    exit,
    who,
    done,
    argv = [],
  }: {
    id: string;
    exit: number;
    who: RegExp;
    done(): Promise<unknown> | unknown;
    argv?: readonly string[];
  },
): Promise<Found> {
  const before = await found(world, id, argv);
  expect(before, id).toMatchObject({ exit, command: null, who: expect.stringMatching(who) });
  await done();
  expect(await found(world, id, argv), id).toBeUndefined();
  return before as Found;
}
