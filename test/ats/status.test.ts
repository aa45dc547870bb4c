import { describe, expect, test } from "vitest";
import { connected, succeed } from "../world.ts";
import { atsWorld, connectedAts, rowOf } from "./world.ts";

describe("status", () => {
  test("says nothing of SmartRecruiters to an org that has no app there", async () => {
    const world = await connected();
    expect(await rowOf(world)).toBeUndefined();
    expect((await world.run(["status"])).out).not.toContain("SmartRecruiters");
  });

  test("shows what to run first in the sandbox, and elsewhere once results wait for it", async () => {
    const world = await atsWorld();
    expect(await rowOf(world)).toMatchObject({ state: "not_connected", subscription: null });
    const { out } = await world.run(["status"]);
    expect(out).toContain("SmartRecruiters  [Not connected]");
    expect(out).not.toContain("connect: jc-integrations connect smartrecruiters");
    const sandbox = await world.run(["status", "--sandbox"]);
    expect(sandbox.out).toContain("connect: jc-integrations connect smartrecruiters --org acme --sandbox");
  });

  test("goes on with the subscription, and then says that the webhooks come", async () => {
    const world = await connectedAts();
    expect(await rowOf(world)).toMatchObject({ subscription: { state: "none" }, banner: null });
    expect((await world.run(["status"])).out).toContain(
      "let SmartRecruiters' webhooks reach us: jc-integrations webhooks subscribe --org acme",
    );
    await succeed(world, ["webhooks", "subscribe"]);
    const { out, code } = await world.run(["status"]);
    expect(code).toBe(0);
    expect(out).toContain("SmartRecruiters: its webhook subscription is active, looked at just now");
    expect(out).not.toContain("webhooks subscribe");
  });

  test("ends with 4 and names the command when the vendor refuses our login for good", async () => {
    const world = await connectedAts();
    await world.smartrecruiters.fault({ revoked: true });
    expect((await world.run(["webhooks", "subscribe"])).code).toBe(4);
    await world.run(["run", "subscriptions"]);
    const { code, err } = await world.run(["status"]);
    expect(code).toBe(4);
    expect(err).toContain("jc-integrations connect smartrecruiters --org acme");
  });
});
