import { request } from "undici";
import { expect, test } from "vitest";
import { allDelivered, type Service, send } from "../end-to-end/program.ts";
import { describeWithPostgres } from "../store/postgres-server.ts";
import { invite, until } from "../world.ts";
import { replicated } from "./world.ts";

const SENDERS = 4;
const ROUNDS = Number(process.env.JC_TEST_ROLLS ?? 2);

async function isReady({ url }: Service): Promise<boolean> {
  const answer = await request(`${url}/readyz`).catch(() => null);
  await answer?.body.dump();
  return answer?.statusCode === 200;
}

describeWithPostgres("services behind a balancer", () => {
  test("are replaced one by one under load, and no webhook is refused", async () => {
    const world = await replicated();
    const balanced = [await world.launch(), await world.launch()];
    const answers: (number | undefined)[] = [];
    const sent = { inFlight: new Map<Service, number>(), isOver: false, turn: 0 };
    const one = async () => {
      while (!sent.isOver) {
        sent.turn += 1;
        const service = balanced[sent.turn % balanced.length];
        if (!service) throw new Error("nobody is behind the balancer");
        sent.inFlight.set(service, (sent.inFlight.get(service) ?? 0) + 1);
        answers.push((await send(service.url, invite()))?.status);
        sent.inFlight.set(service, (sent.inFlight.get(service) ?? 0) - 1);
      }
    };
    const senders = Array.from({ length: SENDERS }, one);
    for (let round = 0; round < ROUNDS * 2; round += 1) {
      const before = answers.length;
      await until("some are sent", () => answers.length > before + 20);
      const [old] = balanced.splice(0, 1);
      if (!old) throw new Error("nobody is to be replaced");
      await until("it has nothing under way", () => sent.inFlight.get(old) === 0);
      old.child.kill("SIGTERM");
      expect((await old.ended).code).toBe(0);
      const fresh = await world.launch();
      await until("it is ready", () => isReady(fresh));
      balanced.push(fresh);
    }
    sent.isOver = true;
    await Promise.all(senders);
    expect(answers.length).toBeGreaterThan(40);
    expect(answers.filter((status) => status !== 202)).toEqual([]);
    await allDelivered(world);
    expect(Object.keys(await world.portal.contacts())).toHaveLength(answers.length);
  });
});
