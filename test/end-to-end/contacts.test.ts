import fc from "fast-check";
import { expect, test } from "vitest";
import { connected, type InviteEvent, type World } from "../world.ts";
import { expectedContacts } from "./contact-model.ts";
import { allEvents } from "./journeys.ts";
import { allDelivered, launchService } from "./program.ts";
import { tries } from "../tries.ts";

/** All events, some of them up to three times, in any order, in up to four files. */
const imports = allEvents.chain((events) =>
  fc
    .tuple(
      fc.shuffledSubarray([...events, ...events, ...events], { minLength: events.length * 2 }),
      fc.shuffledSubarray(events, { minLength: events.length }),
      fc.array(fc.nat(events.length * 3), { maxLength: 3 }),
    )
    .map(([some, every, cuts]) => ({ events, files: cutAt([...some, ...every], cuts) })),
);

function cutAt(events: readonly InviteEvent[], cuts: readonly number[]): InviteEvent[][] {
  const ends = [0, ...cuts.toSorted((a, b) => a - b), events.length];
  return ends.slice(1).map((end, index) => events.slice(ends[index], end));
}

async function take(world: World, events: readonly InviteEvent[]): Promise<unknown> {
  const { code, json } = await world.run([
    "invites",
    "import",
    world.file("events.ndjson", events),
    "--json",
  ]);
  expect(code).toBe(0);
  return json;
}

/** No sweep but the one that the test asks for. */
function twelveHoursFromNow(): string {
  return new Date(Date.now() + 12 * 3_600_000).toISOString().slice(11, 16);
}

test("contacts end as the product promises, in whatever order and however often events come", async () => {
  const runs = fc.asyncProperty(imports, async ({ events, files }) => {
    const world = await connected({ env: { JC_SCHEDULE_SWEEP_AT: twelveHoursFromNow() } });
    const service = await launchService(world);
    for (const file of files) await take(world, file);
    await world.run(["run", "sweep"]);
    await allDelivered(world);
    const expected = expectedContacts(events);
    expect(Object.keys(expected).length).toBeGreaterThan(10);
    expect(await world.portal.contacts()).toEqual(expected);

    const upserts = await world.portal.upserts();
    expect(await take(world, events)).toMatchObject({ stored: 0, known: events.length });
    await world.run(["run", "sweep"]);
    await allDelivered(world);
    expect(await world.portal.upserts()).toEqual(upserts);
    service.child.kill("SIGTERM");
    expect(await service.ended).toMatchObject({ code: 0 });
  });
  await fc.assert(runs, { ...tries(12, 2026), endOnFailure: true, reporter: shortly });
});

/** The events of a failed run fill many screens; its seed brings them back. */
function shortly<T>({ failed, seed, counterexamplePath, errorInstance }: fc.RunDetails<T>): void {
  if (failed) throw new Error(`seed ${seed}, path ${counterexamplePath}`, { cause: errorInstance });
}
