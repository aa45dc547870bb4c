import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AppError } from "../../src/shared/errors.ts";
import { launchService, send } from "../end-to-end/program.ts";
import { connected, DISC_SCORES, disc, invite, until } from "../world.ts";
import { MINUTE, openStage, people, SECOND, type Stage } from "./stage.ts";
import { tries } from "../tries.ts";

const UPSERT = "/crm/v3/objects/contacts/batch/upsert";
const DAY_ONE = Date.UTC(2026, 10, 20);

/** The state of one person's invite after so many changes: the score tells how many. */
function state(email: string, change: number) {
  return invite({
    invitation_id: `inv of ${email}`,
    email,
    timestamp: new Date(DAY_ONE + change * SECOND).toISOString(),
    tests: [disc([change, 0, 0, 0])],
  });
}

async function idle(stage: Stage): Promise<void> {
  await stage.until("nothing is pending", async () => (await stage.counts()).pending === 0, 60 * MINUTE);
}

describe("a disk that is full for minutes while answers come", () => {
  test.each([0.5, 4])("%f of them: all is settled within seconds of there being room", async (minutes) => {
    const stage = await openStage();
    const disk = { isFull: false };
    await stage.fault({ delayMs: 2 * SECOND, path: UPSERT });
    await stage.start((store) => ({
      ...store,
      settle: async (settlements) => {
        if (disk.isFull) throw new AppError("STORE_UNAVAILABLE", "the disk is full");
        await store.settle(settlements);
      },
    }));
    await stage.complete(...people(300));
    await stage.pass(SECOND);
    disk.isFull = true;
    await stage.pass(minutes * MINUTE);
    disk.isFull = false;
    await stage.until("all is settled", async () => (await stage.counts()).pending === 0, 20 * SECOND);
    expect(await stage.counts()).toMatchObject({ delivered: 300 });
  });
});

describe("news of a contact", () => {
  test("that come while it is in flight are sent at once after it", async () => {
    const stage = await openStage();
    await stage.fault({ delayMs: 3_000, path: UPSERT });
    await stage.take(state("ann@example.org", 1));
    await stage.start();
    await stage.pass(SECOND);
    await stage.take(state("ann@example.org", 2));
    await stage.take(state("ann@example.org", 3));
    await stage.until("both are sent", () => stage.calls.length === 2, 3 * SECOND);
    await idle(stage);
    expect(stage.calls).toHaveLength(2);
    expect((await stage.contacts()).get("ann@example.org")).toMatchObject({ jc_disc_d: "3" });
  });

  test("are never overtaken by older ones, whatever fails, with two processes at work", async () => {
    const step = fc.record({
      person: fc.nat(7),
      waitMs: fc.nat(3_000),
      fault: fc.option(
        fc.constantFrom(
          { status: 500, times: 2 },
          { drop: true, times: 1 },
          { status: 500, match: "p00003@", times: 3 },
          { delayMs: 2_500, times: 2 },
          { status: 429, times: 1 },
        ),
        { freq: 3 },
      ),
    });
    const history = fc.asyncProperty(fc.array(step, { minLength: 15, maxLength: 25 }), async (steps) => {
      const stage = await openStage();
      const emails = people(8);
      const newest = new Map<string, number>();
      await Promise.all([stage.start(), stage.start()]);
      for (const [change, { person, waitMs, fault }] of steps.entries()) {
        if (fault) await stage.fault({ ...fault, path: UPSERT });
        const email = emails[person] ?? "";
        newest.set(email, change + 1);
        await stage.take(state(email, change + 1));
        await stage.pass(waitMs);
      }
      await stage.clearFaults();
      await idle(stage);
      const contacts = await stage.contacts();
      const held = [...newest.keys()].map((email) => [email, contacts.get(email)?.jc_disc_d]);
      expect(Object.fromEntries(held)).toEqual(
        Object.fromEntries([...newest].map(([email, change]) => [email, String(change)])),
      );
    });
    await fc.assert(history, { ...tries(15, 7), endOnFailure: true });
  });
});

describe("a process killed", () => {
  test("after the vendor did the work and before it was noted repeats it, and nothing more", async () => {
    const world = await connected();
    const service = await launchService(world);
    await world.portal.fault({ delayMs: 60_000, path: UPSERT, times: 1 });
    const event = invite();
    expect((await send(service.url, event))?.status).toBe(202);
    await until("the vendor did the work", async () => (await world.portal.upserts()).length === 1);
    service.child.kill("SIGKILL");
    await service.ended;
    await launchService(world);
    // Its lease alone would keep it for a quarter of an hour.
    await until("it is sent again", async () => (await world.portal.upserts()).length === 2);
    await until("it is noted", async () => {
      const { json } = await world.run(["status", "--json"]);
      return JSON.stringify(json).includes('"delivered":1,');
    });
    expect(await world.portal.contacts()).toMatchObject({ [event.data.candidate.email]: DISC_SCORES });
    expect(await world.portal.upserts()).toEqual([200, 200]);
  });
});
