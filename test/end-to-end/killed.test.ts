import fc from "fast-check";
import * as v from "valibot";
import { expect, test } from "vitest";
import { logOf } from "./log.ts";
import { connected, type InviteEvent, invite, until, type World } from "../world.ts";
import { allDelivered, launch, launchService, send } from "./program.ts";

const SENDERS = 8;
const KILLS = 50;

const Invites = v.object({
  invites: v.array(
    v.object({
      invitationId: v.string(),
      pushes: v.array(v.object({ state: v.string(), delivered: v.boolean() })),
    }),
  ),
});

/** When a service is killed: while it starts, or right behind so many acknowledgements. */
const moments = fc.sample(
  fc.oneof({ weight: 1, arbitrary: fc.constant("starting" as const) }, { weight: 6, arbitrary: fc.nat(40) }),
  { numRuns: KILLS, seed: 9 },
);

/** Senders that go on, whatever becomes of the service, until `end`. Each sends an event again until it is taken. */
function sending(url: () => string) {
  const acknowledged: { event: InviteEvent; id: string }[] = [];
  let isOver = false;
  const one = async () => {
    while (!isOver) {
      const event = invite();
      const id = `msg_${event.data.invitation_id}`;
      await until(`${id} is taken`, async () => isOver || (await send(url(), event, { id }))?.status === 202);
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

/** A service that is killed before it gets to work. */
async function launchAndKill(world: World): Promise<void> {
  const starting = launch(world, ["serve"]);
  await until("it runs", () => starting.child.pid !== undefined);
  starting.child.kill("SIGKILL");
  expect(await starting.ended).toMatchObject({ signal: "SIGKILL" });
}

/** The ids of each invitation's events, as the log holds them. */
function eventIds(world: World): Map<string, string> {
  const sql = `SELECT i.invitation_id AS invitation, group_concat(e.event_id) AS ids
    FROM events e JOIN invites i ON i.id = e.invite_id GROUP BY 1`;
  const Row = v.object({ invitation: v.string(), ids: v.string() });
  return new Map(
    logOf(world)
      .rows(Row, sql)
      .map(({ invitation, ids }) => [invitation, ids]),
  );
}

test(`a service killed ${KILLS} times under load loses nothing that it acknowledged`, async () => {
  const world = await connected();
  let service = await launchService(world);
  const { acknowledged, end } = sending(() => service.url);
  for (const moment of moments) {
    const enough = acknowledged.length + (moment === "starting" ? 0 : moment);
    await until("some are acknowledged", () => acknowledged.length >= enough);
    service.child.kill("SIGKILL");
    expect(await service.ended).toMatchObject({ signal: "SIGKILL" });
    if (moment === "starting") await launchAndKill(world);
    service = await launchService(world);
  }
  await end();
  expect(acknowledged.length).toBeGreaterThan(KILLS);
  await allDelivered(world);

  const { json } = await world.run(["invites", "list", "--json", "--limit", "10000"]);
  const { invites } = v.parse(Invites, json);
  const delivered = invites.filter(
    ({ pushes }) => pushes.every((push) => push.delivered) && pushes.length === 1,
  );
  const wanted = acknowledged.map(({ event }) => event.data.invitation_id);
  const found = new Set(delivered.map(({ invitationId }) => invitationId));
  expect(wanted.filter((id) => !found.has(id))).toEqual([]);
  const contacts = await world.portal.contacts();
  expect(acknowledged.filter(({ event }) => !(event.data.candidate.email in contacts))).toEqual([]);
  const stored = eventIds(world);
  const others = acknowledged.filter(({ event, id }) => stored.get(event.data.invitation_id) !== id);
  expect(others).toEqual([]);
});
