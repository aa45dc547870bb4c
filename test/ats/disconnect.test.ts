import { describe, expect, test } from "vitest";
import { succeed, until } from "../world.ts";
import {
  company,
  completedEvent,
  invited,
  post,
  rowOf,
  scorecard,
  servingAts,
  signatureOf,
  subscription,
  untilDelivered,
  webhookLog,
} from "./world.ts";

describe("disconnect smartrecruiters", () => {
  test("says what stays at the vendor, which offers no way to revoke", async () => {
    const { world } = await servingAts();
    const { code, out } = await world.run(["disconnect", "smartrecruiters", "--yes"]);
    expect(code).toBe(0);
    expect(out).toContain("SmartRecruiters offers no way to revoke them");
    expect(out).toContain("Its webhooks still reach us");
    expect(await rowOf(world)).toMatchObject({ state: "not_connected", subscription: null, banner: null });
    expect((await world.run(["status"])).out).toContain("connect smartrecruiters --org acme");
    expect((await world.run(["webhooks", "subscribe"])).code).toBe(4);
    expect((await succeed(world, ["run", "subscriptions", "--json"])).json).toMatchObject({ checked: 0 });
  });

  test("keeps webhooks and results that come meanwhile, and the next connect lets them go", async () => {
    const { world } = await servingAts();
    const ann = await invited(await company(world));
    await succeed(world, ["disconnect", "smartrecruiters", "--yes"]);
    const { secret, id } = await subscription(world);
    const body = completedEvent({ candidateId: "c9", assessmentId: "a9" });
    expect(await post(world, body, signatureOf(body, secret))).toMatchObject({ status: 202 });
    await world.smartrecruiters.complete(ann.candidateId);
    expect(await scorecard(world, ann.candidateId)).toEqual([]);
    await succeed(world, ["connect", "smartrecruiters"]);
    await untilDelivered(world, 1);
    await until("its webhook came", async () => (await webhookLog(world)).received.length === 2);
    expect((await succeed(world, ["webhooks", "subscribe", "--json"])).json).toMatchObject({
      id,
      created: false,
    });
  });
});
