import fc from "fast-check";
import * as v from "valibot";
import { expect, test } from "vitest";
import { allDelivered, type Service, send } from "../end-to-end/program.ts";
import { describeWithPostgres } from "../store/postgres-server.ts";
import { type InviteEvent, invite, until } from "../world.ts";
import { replicated } from "./world.ts";

const SENDERS = 8;
const KILLS = Number(process.env.JC_TEST_KILLS ?? 12);
const SERVICES = 2;

/** Which service is killed, behind how many acknowledgements. */
const kills = fc.sample(fc.tuple(fc.nat(SERVICES - 1), fc.nat(40)), { numRuns: KILLS, seed: 22 });

/** As a load balancer does: each event to one of those that live, and to another one where that is gone. */
function sending(services: readonly (Service | null)[]) {
  const acknowledged: { event: InviteEvent; id: string }[] = [];
  let isOver = false;
  let turn = 0;
  const one = async () => {
    while (!isOver) {
      const event = invite();
      const id = `msg_${event.data.invitation_id}`;
      await until(`${id} is taken`, async () => {
        if (isOver) return true;
        turn += 1;
        const service = services[turn % services.length];
        return service && (await send(service.url, event, { id }))?.status === 202;
      });
      if (!isOver) acknowledged.push({ event, id });
    }
  };
  const all = Promise.all(Array.from({ length: SENDERS }, one));
  return {
    acknowledged,
    end: async () => {
      isOver = true;
      await all;
    },
  };
}

describeWithPostgres("two services on one log", () => {
  test(`lose nothing that they acknowledged, though one or the other is killed ${KILLS} times under load`, async () => {
    const world = await replicated();
    const services: (Service | null)[] = [await world.launch(), await world.launch()];
    const { acknowledged, end } = sending(services);
    for (const [index, more] of kills) {
      const enough = acknowledged.length + more;
      await until("some are acknowledged", () => acknowledged.length >= enough);
      const killed = services[index];
      services[index] = null;
      killed?.child.kill("SIGKILL");
      await killed?.ended;
      services[index] = await world.launch();
    }
    await end();
    expect(acknowledged.length).toBeGreaterThan(KILLS);
    await allDelivered(world);

    const Stored = v.object({ id: v.string(), invitation: v.string(), state: v.string() });
    const stored = await world.rows(
      Stored,
      `SELECT e.event_id AS id, i.invitation_id AS invitation, p.state FROM jc.events e
        JOIN jc.invites i ON i.id = e.invite_id JOIN jc.pushes p ON p.subject = i.contact`,
    );
    const delivered = new Set(stored.filter(({ state }) => state === "delivered").map(({ id }) => id));
    expect(acknowledged.filter(({ id }) => !delivered.has(id))).toEqual([]);
    const contacts = await world.portal.contacts();
    expect(acknowledged.filter(({ event }) => !(event.data.candidate.email in contacts))).toEqual([]);
  });

  test("a killed one's claims are another's long before a silent one's would be", async () => {
    const world = await replicated();
    const [first, second] = [await world.launch(), await world.launch()];
    await world.portal.fault({ delayMs: 20_000, times: 1 });
    expect((await send(first.url, invite()))?.status).toBe(202);
    await until("a call is under way", async () => (await world.portal.requests({ to: UPSERT })).length > 0);
    const holder = await holderOfClaims(world);
    const killedAt = Date.now();
    (holder === first.child.pid ? first : second).child.kill("SIGKILL");
    await until("it is delivered", async () => {
      const [row] = await world.rows(
        v.object({ n: v.string() }),
        "SELECT count(*)::text AS n FROM jc.pushes WHERE state = 'delivered'",
      );
      return row?.n === "1";
    });
    // A holder that lives and says nothing keeps them for 90 s.
    expect(Date.now() - killedAt).toBeLessThan(10_000);
  });
});

const UPSERT = "/crm/v3/objects/contacts/batch/upsert";

async function holderOfClaims(world: Awaited<ReturnType<typeof replicated>>): Promise<number> {
  const [row] = await world.rows(
    v.object({ name: v.string() }),
    "SELECT h.name FROM jc.leases l JOIN jc.holders h ON h.id = l.holder",
  );
  return Number(row?.name.split(" ").at(-1));
}
