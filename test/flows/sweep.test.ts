import { describe, expect, test } from "vitest";
import { connected, DISC_SCORES, disc, invite, type World } from "../world.ts";

const MBTI_OPEN = { slug: "mbti", status: "assigned" };

function begun(changes: Parameters<typeof invite>[0] = {}) {
  return invite({ type: "invite.progress", tests: [disc(), MBTI_OPEN], ...changes });
}

async function take(world: World, events: object[]): Promise<void> {
  const { code } = await world.run(["invites", "import", world.file("events.ndjson", events)]);
  expect(code).toBe(0);
}

/** How many contacts a sweep raised; they are delivered afterwards. */
async function sweepAndDeliver(world: World): Promise<unknown> {
  const { json } = await world.run(["run", "sweep", "--json"]);
  await world.run(["run", "retry"]);
  return json;
}

describe("the sweep", () => {
  test("tells what is in progress, which nothing else does", async () => {
    const world = await connected();
    await take(world, [begun({ email: "ann@example.org", invitation_id: "inv_ann" })]);
    await world.run(["run", "retry"]);
    expect(await world.portal.contacts()).toEqual({});
    expect(await sweepAndDeliver(world)).toEqual({ version: 1, raised: 1 });
    expect(await world.portal.contacts()).toEqual({
      "ann@example.org": {
        ...DISC_SCORES,
        jc_test_status: "in_progress",
        jc_invitation_id: "inv_ann",
        jc_result_url: "https://jobcannon.io/business/dashboard/invites/inv_ann",
      },
    });
  });

  test("raises only contacts of which the vendor holds something else", async () => {
    const world = await connected();
    const changing = begun();
    await take(world, [changing, begun(), begun()]);
    expect(await sweepAndDeliver(world)).toEqual({ version: 1, raised: 3 });
    expect(await sweepAndDeliver(world)).toEqual({ version: 1, raised: 0 });
    const { data } = changing;
    await take(world, [
      {
        ...changing,
        timestamp: "2024-05-16T10:15:00Z",
        data: { ...data, tests: [disc([1, 2, 3, 4]), MBTI_OPEN] },
      },
    ]);
    expect(await sweepAndDeliver(world)).toEqual({ version: 1, raised: 1 });
    const contacts = await world.portal.contacts();
    expect(contacts[data.candidate.email]).toMatchObject({ jc_disc_d: "1" });
  });

  test("leaves alone who was merely invited, and whose results were told at once", async () => {
    const world = await connected();
    await take(world, [
      invite({ type: "invite.sent", tests: [MBTI_OPEN] }),
      invite(),
      invite({ type: "invite.expired", tests: [disc(), MBTI_OPEN] }),
    ]);
    await world.run(["run", "retry"]);
    const upserts = await world.portal.upserts();
    expect(await sweepAndDeliver(world)).toEqual({ version: 1, raised: 0 });
    expect(await world.portal.upserts()).toEqual(upserts);
    expect(Object.keys(await world.portal.contacts())).toHaveLength(2);
  });

  test("does not raise again what the vendor refused, until it changes", async () => {
    const world = await connected();
    await take(world, [begun({ email: "no address at all" })]);
    expect(await sweepAndDeliver(world)).toEqual({ version: 1, raised: 1 });
    expect((await world.run(["status", "--json"])).json).toMatchObject({ pushes: { rejected: 1 } });
    expect(await sweepAndDeliver(world)).toEqual({ version: 1, raised: 0 });
  });

  test("goes through all of them, page by page", async () => {
    const world = await connected();
    await take(
      world,
      Array.from({ length: 1_203 }, () => begun()),
    );
    expect(await sweepAndDeliver(world)).toEqual({ version: 1, raised: 1_203 });
    expect(Object.keys(await world.portal.contacts())).toHaveLength(1_203);
  });
});
