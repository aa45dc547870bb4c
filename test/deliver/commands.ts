/** What the tests of replay and backfill take for granted, and look at. */
import * as v from "valibot";
import { expect } from "vitest";
import type { FakeClock } from "../fake-clock.ts";
import {
  connected,
  importResults,
  invite,
  type Run,
  type Running,
  succeed,
  until,
  type World,
} from "../world.ts";

export const REFUSED = {
  status: 400,
  body: { status: "error", message: "no", category: "VALIDATION_ERROR" },
};

/** A world in which so many results were delivered. */
export async function delivered(n: number, options: { clock?: FakeClock } = {}) {
  const world = await connected(options);
  const events = Array.from({ length: n }, () => invite());
  await importResults(world, events);
  await succeed(world, ["run", "retry"]);
  expect(Object.keys(await world.portal.contacts())).toHaveLength(n);
  return { world, events };
}

export async function pushesOf(world: World): Promise<Record<string, number>> {
  const { json } = await world.run(["status", "--json"]);
  return v.parse(v.object({ pushes: v.record(v.string(), v.number()) }), json).pushes;
}

export async function runsOf(world: World) {
  const { json } = await succeed(world, ["logs", "--runs", "--json"]);
  const run = v.looseObject({ command: v.string(), endedAt: v.nullable(v.string()) });
  return v.parse(v.object({ runs: v.array(run) }), json).runs;
}

/** Moves a clock that stands still until the command is done. */
export async function through(clock: FakeClock, running: Running): Promise<Run> {
  let isDone = false;
  const done = running.done.finally(() => {
    isDone = true;
  });
  await until("the command ends", async () => {
    await clock.advance(500);
    return isDone;
  });
  return await done;
}

/** The counts that scripts rely on, nothing else beside them. */
export function report(changes: object) {
  return {
    version: 1,
    matched: 0,
    queued: 0,
    skipped: 0,
    delivered: 0,
    rejected: 0,
    ...changes,
  };
}
