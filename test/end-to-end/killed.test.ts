import fc from "fast-check";
import * as v from "valibot";
import { expect, test } from "vitest";
import { logOf } from "./log.ts";
import { connected, type InviteEvent, invite, until, type World } from "../world.ts";
import { launchFleet } from "./fleet.ts";
import { describeInEachPlace } from "./places.ts";
import { allDelivered, launch, send } from "./program.ts";

const SENDERS = 8;

const Invites = v.object({
  invites: v.array(
    v.object({
      invitationId: v.string(),
      pushes: v.array(v.object({ state: v.string(), delivered: v.boolean() })),
    }),
  ),
});

/** When which service is killed: while it starts, or right behind so many acknowledgements. */
const kills = (services: number, numRuns: number) =>
  fc.sample(
    fc.record({
      moment: fc.oneof(
        { weight: 1, arbitrary: fc.constant("starting" as const) },
        { weight: 6, arbitrary: fc.nat(40) },
      ),
      service: fc.nat(services - 1),
    }),
    { numRuns, seed: 9 },
  );

/** Senders that go on, whatever becomes of the services, until `end`. Each sends an event again until it is taken. */
function sending(url: string) {
  const acknowledged: { event: InviteEvent; id: string }[] = [];
  let isOver = false;
  const one = async () => {
    while (!isOver) {
      const event = invite();
      const id = `msg_${event.data.invitation_id}`;
      await until(`${id} is taken`, async () => isOver || (await send(url, event, { id }))?.status === 202);
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

const Stored = v.object({ invitation: v.string(), id: v.string() });
const STORED = `SELECT i.invitation_id AS invitation, e.event_id AS id
  FROM events e JOIN invites i ON i.id = e.invite_id`;

/** A net for what never ends: a machine that is busy takes minutes for all of it. */
const LONGEST_MS = 20 * 60_000;

describeInEachPlace((place) => {
  const most = place.sized(50, 12);
  test(
    `services killed ${most} times under load lose nothing that they acknowledged`,
    async () => {
      const world = await connected({ env: await place.environment() });
      const fleet = await launchFleet(place, world);
      const { acknowledged, end } = sending(fleet.url);
      for (const { moment, service } of kills(place.services, most)) {
        const enough = acknowledged.length + (moment === "starting" ? 0 : moment);
        await until("some are acknowledged", () => acknowledged.length >= enough);
        expect(await fleet.end(service, "SIGKILL")).toMatchObject({ signal: "SIGKILL" });
        if (moment === "starting") await launchAndKill(world);
        await fleet.start(service);
      }
      await end();
      expect(acknowledged.length).toBeGreaterThan(most);
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
      const stored = new Map<string, string[]>();
      for (const { invitation, id } of await logOf(world).rows(Stored, STORED))
        stored.set(invitation, [...(stored.get(invitation) ?? []), id]);
      const others = acknowledged.filter(
        ({ event, id }) => stored.get(event.data.invitation_id)?.join() !== id,
      );
      expect(others).toEqual([]);
    },
    LONGEST_MS,
  );
});
