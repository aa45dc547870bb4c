/** An applicant tracking system that was connected, and whose webhooks nobody asked for yet. */
import { expect, test } from "vitest";
import { connectedAts } from "../ats/world.ts";
import { launchService } from "../end-to-end/program.ts";
import { succeed, until } from "../world.ts";

test("a secret that no subscription has brought yet is a next step in the journal, and an error once it is lost", async () => {
  const world = await connectedAts({ env: { JC_ALERTS_TELEGRAM_CHAT_ID: "4711" } });
  Object.assign(world.env, { JC_ALERTS_TELEGRAM_API_BASE: world.emulator.telegram });
  await succeed(world, ["secrets", "set", "telegram.bot-token"], "123:abcdef");
  const { err, url } = await launchService(world);
  const lines = (level: string) =>
    err()
      .split("\n")
      .filter((line) => line.includes(` ${level} `));
  await until("it is told", () => err().includes("webhooks subscribe"));
  expect(err()).toContain("SmartRecruiters was not asked for webhooks yet, and has no secret for them here");
  expect(lines("error")).toEqual([]);
  expect((await fetch(`${url}/readyz`)).status).toBe(503);
  const status = await succeed(world, ["status"]);
  expect(status.out).toContain("! SmartRecruiters was not asked for webhooks yet");
  const { findings } = Object((await succeed(world, ["doctor", "smartrecruiters", "--json"])).json);
  expect(findings).toContainEqual(
    expect.objectContaining({ id: "smartrecruiters.subscription", level: "warning" }),
  );

  await succeed(world, ["webhooks", "subscribe"]);
  await until("it is over", () => err().includes("every source in use has a webhook secret again"));
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  expect(await world.telegram.messages()).toEqual([]);

  await succeed(world, ["secrets", "remove", "smartrecruiters.webhook-secret", "--yes"]);
  await until("it is an error", () => lines("error").length > 0);
  expect(lines("error")[0]).toContain("SmartRecruiters has no webhook secret here");
  await until("its owner is told", async () => (await world.telegram.messages()).length === 1);
});
