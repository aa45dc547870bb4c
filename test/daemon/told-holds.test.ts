/** What the journal of `serve` says when results begin to be held. */
import { expect, test } from "vitest";
import { pushesOf } from "../deliver/commands.ts";
import { connected, invite, succeed, until, type World } from "../world.ts";
import { type Serving, serving } from "./serving.ts";

async function sendUntilHeld(world: World, service: Serving, held: number): Promise<void> {
  expect((await service.post(invite())).status).toBe(202);
  await until(`${held} are held`, async () => (await pushesOf(world)).held === held);
}

const linesWith = ({ running }: Serving, words: string) =>
  running
    .err()
    .split("\n")
    .filter((line) => line.includes(words));

const deliveredIn = ({ running }: Serving) =>
  [...running.err().matchAll(/ delivered=(\d+)/g)].reduce((sum, [, n]) => sum + Number(n), 0);

test("a login that the vendor refuses is told once, with what to type", async () => {
  const world = await connected();
  const service = await serving(world);
  await world.portal.fault({ revoked: true });
  for (const held of [1, 2, 3]) await sendUntilHeld(world, service, held);
  const { err } = await service.running.stop();
  const told = linesWith(service, "the login is lost");
  expect(told).toEqual([
    expect.stringMatching(/ warn .* org=acme {2}vendor=hubspot .*connect hubspot --org acme/),
  ]);
  expect(err).not.toContain("@example.org");
});

test("results that wait for a property are told once each time that it begins", async () => {
  const world = await connected();
  const service = await serving(world);
  const words = "results wait for a property";
  for (const times of [1, 2]) {
    await world.portal.archiveProperty("jc_disc_d");
    for (const held of [1, 2, 3]) await sendUntilHeld(world, service, held);
    await until("it is told", () => linesWith(service, words).length === times);
    expect(linesWith(service, words).at(-1)).toMatch(
      / warn .* held=\d {2}org=acme {2}vendor=hubspot .*jc_disc_d.*resync-properties --org acme/,
    );
    await succeed(world, ["resync-properties"]);
    // What the journal says comes after what the watch over holds has seen.
    await until("all are delivered", () => deliveredIn(service) >= 3 * times);
  }
  const { err } = await service.running.stop();
  expect(linesWith(service, words)).toHaveLength(2);
  expect(err).not.toContain("@example.org");
});

test("results that wait for a scope are told once", async () => {
  const world = await connected();
  const service = await serving(world);
  await world.portal.settings({ grantedScopes: ["oauth", "crm.objects.contacts.read"] });
  for (const held of [1, 2]) await sendUntilHeld(world, service, held);
  await service.running.stop();
  expect(linesWith(service, "results wait for a scope")).toEqual([
    expect.stringMatching(/ warn .*crm\.objects\.contacts\.write.*connect hubspot --org acme/),
  ]);
});
