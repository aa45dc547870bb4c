import { expect, test } from "vitest";
import { serving } from "../daemon/serving.ts";
import { ORG, succeed, until } from "../world.ts";
import { company, connectedAts, invited, rowOf, scorecard, untilDelivered } from "./world.ts";

const CHAT = "-100";

test("a company that revokes us is told of once, its results are held, and go out by themselves after connect", async () => {
  const world = await connectedAts();
  const env = { JC_ALERTS_TELEGRAM_CHAT_ID: CHAT, JC_ALERTS_TELEGRAM_API_BASE: world.emulator.telegram };
  await serving(world, { env });
  await succeed(world, ["webhooks", "subscribe"]);
  await world.run(["secrets", "set", "telegram.bot-token"], { stdin: "123:abcdef" });
  const app = await company(world);
  const [ann, bob] = [await invited(app), await invited(app)];
  await world.smartrecruiters.fault({ revoked: true });
  await world.smartrecruiters.complete(ann.candidateId);
  await world.smartrecruiters.complete(bob.candidateId);
  await until("both are held", async () => (await rowOf(world))?.pushes.held === 2);

  // A secret that was only just set is seen by the service within seconds.
  await until("serve has seen its secret", async () => (await world.run(["status"])).code !== 2);
  const status = await world.run(["status"]);
  expect(status.code).toBe(4);
  expect(status.out).toContain("[Not connected]");
  expect(status.out).toContain(`jc-integrations connect smartrecruiters --org ${ORG}`);
  for (let look = 0; look < 2; look += 1) await world.run(["run", "alerts"], { env });
  const told = (await world.telegram.messages()).filter(({ text }) => text.includes("must reconnect"));
  expect(told).toHaveLength(1);
  expect(await scorecard(world, ann.candidateId)).toEqual([]);

  await world.smartrecruiters.clearFaults();
  expect((await world.run(["connect", "smartrecruiters"])).code).toBe(0);
  await untilDelivered(world, 2);
  for (const { candidateId } of [ann, bob]) expect(await scorecard(world, candidateId)).toHaveLength(1);
  expect(await rowOf(world)).toMatchObject({ state: "connected", banner: null });
});
