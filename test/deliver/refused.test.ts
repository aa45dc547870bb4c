import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { fakeClock } from "../fake-clock.ts";
import { serving } from "../daemon/serving.ts";
import { connect, connected, invite, until, type World } from "../world.ts";
import { pushesOf } from "./commands.ts";

/** Does something while HubSpot's refusal of the tokens is on its way; then HubSpot's answer comes. */
async function whileRefused(meanwhile: (world: World) => Promise<void>) {
  const clock = fakeClock();
  const world = await connected({ clock });
  await world.run(["invites", "import", world.file("one.ndjson", [invite()])]);
  await world.portal.fault({ delayMs: 60_000, path: "/oauth/v3/token", match: "refresh_token", times: 1 });
  await world.portal.fault({ revoked: true });
  const delivering = world.start(["run", "retry", "--json"]);
  // The delivery waits for news, and HubSpot for its minute to pass.
  await until("the refresh is on its way", () => clock.sleepers() === 2);
  await meanwhile(world);
  let isDone = false;
  const done = delivering.done.finally(() => {
    isDone = true;
  });
  while (!isDone) await clock.advance(1_000);
  await done;
  return world;
}

const standing = async (world: World) => (await world.run(["status", "--json"])).json;

describe("a refusal of tokens that is on its way", () => {
  test("leaves a connection alone that was disconnected meanwhile", async () => {
    const world = await whileRefused(async (world) => {
      const log = new Database(join(world.stateDir, "log.db"));
      // What `disconnect` of another process has written by then; its own refresh lock is held by the delivery.
      log.exec("UPDATE connections SET state = 'not_connected', hold_cause = 'disconnected'");
      log.close();
    });
    expect(await standing(world)).toMatchObject({ connections: [{ state: "not_connected", banner: null }] });
  });

  test("holds results and asks for a reconnect where nothing happened meanwhile", async () => {
    const world = await whileRefused(async () => {});
    expect(await standing(world)).toMatchObject({
      connections: [{ state: "must_reconnect" }],
      pushes: { held: 1, pending: 0 },
    });
  });
});

test("a new consent ends the rest that an outage earned, at once, while the service runs", async () => {
  const clock = fakeClock();
  const world = await connected({ clock });
  const { post, get } = await serving(world);
  await world.portal.fault({ status: 503, path: "/crm/v3/objects/contacts" });
  for (let contacts = 0; contacts < 3; contacts += 1) await post(invite());
  const isDegraded = async () => {
    await clock.advance(10_000);
    await get("/healthz");
    const { json } = await world.run(["status", "--json"]);
    return JSON.stringify(json).includes("fails at the moment");
  };
  await until("the vendor is left in peace", isDegraded);
  await world.portal.clearFaults();
  const calls = (await world.portal.upserts()).length;
  await clock.advance(1_000);
  expect(await world.portal.upserts()).toHaveLength(calls);
  await clock.advance(1_000);
  await connect(world);
  const at = clock.now();
  // The contacts wait for their own time; one that comes now does not.
  await post(invite());
  await until("what is due goes out", async () => ((await pushesOf(world)).delivered ?? 0) > 0);
  expect(clock.now()).toBe(at);
});
