import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { serving } from "../daemon/serving.ts";
import { launchFleet } from "../end-to-end/fleet.ts";
import { describeInEachPlace } from "../end-to-end/places.ts";
import { send } from "../end-to-end/program.ts";
import { fakeClock } from "../fake-clock.ts";
import {
  connect,
  connected,
  DISC_SCORES,
  freshWorld,
  importResults,
  invite,
  type InviteEvent,
  succeed,
  until,
  type World,
} from "../world.ts";
import { pushesOf, through } from "./commands.ts";
import { TOKEN_PATH } from "../oauth/world.ts";

const MINUTE = 60_000;
const UPSERT = "/crm/v3/objects/contacts/batch/upsert";

async function messages(world: World): Promise<string[]> {
  return (await world.telegram.messages()).map(({ text }) => text);
}

function withTelegram(world: World): World {
  const telegram = {
    JC_ALERTS_TELEGRAM_API_BASE: world.emulator.telegram,
    JC_ALERTS_TELEGRAM_CHAT_ID: "4711",
  };
  return Object.assign(world, { env: Object.assign(world.env, telegram) });
}

describeInEachPlace((place) => {
  test("tokens revoked in the middle of a backfill of 2,000 lose and reject nothing, and a consent brings the rest", async () => {
    const world = withTelegram(await freshWorld({ env: await place.environment() }));
    const events = Array.from({ length: 2_000 }, () => invite());
    await importResults(world, events);
    await connect(world);
    await succeed(world, ["secrets", "set", "telegram.bot-token"], "123:abcdef");
    await world.portal.fault({ delayMs: 150, path: UPSERT });
    const backfill = world.start(["backfill", "--yes", "--json"]);
    await until("some are written", async () => (await world.portal.upserts()).includes(200));
    await world.portal.fault({ revoked: true });
    expect(await backfill.done).toMatchObject({ code: 4 });

    const pushes = await pushesOf(world);
    expect(pushes).toMatchObject({ pending: 0, rejected: 0 });
    expect(pushes.held).toBeGreaterThan(0);
    expect(pushes.delivered).toBeGreaterThan(0);
    expect((pushes.held ?? 0) + (pushes.delivered ?? 0)).toBe(2_000);
    const status = await world.run(["status"]);
    expect(status.code).toBe(4);
    expect(status.out).toContain("[Not connected]");
    expect(status.out).toContain("! HubSpot: must reconnect: HubSpot no longer accepts our tokens");
    const refresh = await world.run(["run", "refresh"]);
    expect(refresh).toMatchObject({ code: 4, out: "0 tokens refreshed\n" });
    expect(refresh.err).toContain("→ jc-integrations connect hubspot --org acme");
    for (let looks = 0; looks < 3; looks += 1) await succeed(world, ["run", "alerts"]);
    expect(await messages(world)).toEqual([expect.stringContaining("connect hubspot --org acme")]);

    await world.portal.clearFaults();
    await connect(world);
    await launchFleet(place, world);
    const isThere = async () => (await pushesOf(world)).delivered === 2_000;
    await until("all are delivered", isThere);
    const contacts = await world.portal.contacts();
    expect(Object.keys(contacts)).toHaveLength(2_000);
    for (const { data } of events) expect(contacts[data.candidate.email]).toMatchObject(DISC_SCORES);
    expect((await world.run(["status"])).code).toBe(0);
    await succeed(world, ["run", "alerts"]);
    expect(await messages(world)).toHaveLength(1);
  });

  test("tokens revoked while services take results in hold what comes meanwhile, and all goes on by itself after a consent", async () => {
    const world = await connected({ env: await place.environment() });
    const fleet = await launchFleet(place, world);
    const taken: InviteEvent[] = [];
    /** By each of the services in turn. */
    const take = async (n: number) => {
      for (let one = 0; one < n; one += 1) {
        const event = invite();
        expect((await send(fleet.url, event))?.status).toBe(202);
        taken.push(event);
      }
    };
    await take(4);
    await until("they are delivered", async () => (await pushesOf(world)).delivered === 4);
    await world.portal.fault({ revoked: true });
    await take(20);
    await until("they are held", async () => (await pushesOf(world)).held === 20);
    const asked = (await world.portal.upserts()).length;
    await take(20);
    await until("these are as well", async () => (await pushesOf(world)).held === 40);
    expect(await world.portal.upserts()).toHaveLength(asked);
    expect((await world.run(["status"])).code).toBe(4);

    await world.portal.clearFaults();
    await connect(world);
    await take(4);
    await until("all are delivered", async () => (await pushesOf(world)).delivered === taken.length);
    const contacts = await world.portal.contacts();
    for (const { data } of taken) expect(contacts[data.candidate.email]).toMatchObject(DISC_SCORES);
    expect((await world.run(["status"])).code).toBe(0);
  });
});

test("a login that a cut-off refresh has cost says so in the banner and in its one alert", async () => {
  const clock = fakeClock();
  const world = withTelegram(await connected({ clock }));
  await succeed(world, ["secrets", "set", "telegram.bot-token"], "123:abcdef");
  await world.portal.settings({ oneUseTokens: true });
  await world.portal.fault({ drop: true, path: "/oauth/v3/token", times: 1 });
  await clock.advance(31 * MINUTE);
  await importResults(world, [invite()]);
  // The new pair was given, and its answer never came.
  await through(clock, world.start(["run", "refresh"]));
  expect((await world.run(["status"])).code).toBe(0);
  await clock.advance(MINUTE);
  await through(clock, world.start(["run", "retry"]));
  const cause = "An earlier refresh was cut off before its new tokens were kept";
  const status = await world.run(["status"]);
  expect(status.code).toBe(4);
  expect(status.out).toContain(cause);
  for (let looks = 0; looks < 2; looks += 1) await succeed(world, ["run", "alerts"]);
  expect(await messages(world)).toEqual([expect.stringContaining(cause)]);
});

/** When the token endpoint was asked, in simulated time. */
async function tokenCalls(world: World): Promise<number[]> {
  return (await world.portal.requests({ from: TOKEN_PATH, to: TOKEN_PATH })).map(({ at }) => at);
}

describe("a token endpoint that fails for an hour", () => {
  const INVALID_CLIENT = { error: "invalid_client", status: "BAD_CLIENT_SECRET", message: "no" };
  const HTML = { status: 200, headers: { "content-type": "text/html" }, body: "<html>Sign in</html>" };

  test.each([
    ["with invalid_client", { status: 401, body: INVALID_CLIENT }],
    ["with 500", { status: 500 }],
    ["by cutting every connection", { drop: true }],
    ["with a proxy's page and 200", HTML],
    ["with a proxy's page and 401", { ...HTML, status: 401 }],
    ["with 429 and no shape", { status: 429, body: "slow down" }],
  ])(
    "(%s) disconnects nobody, is asked once a minute at most, and all is delivered afterwards",
    async (what, fault) => {
      // What no waiting mends shows in status, once a refresh was due.
      const codes = what === "with invalid_client" ? [0, 2] : [0];
      const clock = fakeClock();
      const world = await connected({ clock });
      const { post, get, running } = await serving(world);
      /** The service's own work takes real time, for which simulated time does not wait. */
      const log = new Database(join(world.stateDir, "log.db"), { readonly: true });
      onTestFinished(() => void log.close());
      const lastLook = log.prepare("SELECT max(due_at) FROM ticks WHERE job = 'refresh'").pluck();
      const passMinute = async () => {
        const lookAt = clock.now() - (clock.now() % MINUTE) + MINUTE;
        for (let step = 0; step < 3; step += 1) {
          await clock.advance(MINUTE / 3);
          await get("/healthz");
        }
        await until("the minute's look at tokens", async () => {
          await clock.advance(1_000);
          return Number(lastLook.get()) >= lookAt;
        });
      };
      await world.portal.fault({ ...fault, path: "/oauth/v3/token" });
      const before = (await tokenCalls(world)).length;
      for (let minute = 0; minute < 90; minute += 1) {
        if (minute % 10 === 0) expect((await post(invite())).status).toBe(202);
        await passMinute();
        if (minute % 10 === 0) expect(codes).toContain((await world.run(["status", "--json"])).code);
      }
      const asked = (await tokenCalls(world)).slice(before);
      expect(asked.length).toBeGreaterThan(10);
      for (const [index, at] of asked.slice(1).entries())
        expect(at - (asked[index] ?? 0)).toBeGreaterThanOrEqual(MINUTE);
      expect((await pushesOf(world)).rejected).toBe(0);

      await world.portal.clearFaults();
      await until("all is delivered", async () => {
        await passMinute();
        return (await pushesOf(world)).delivered === 9;
      });
      expect(await pushesOf(world)).toMatchObject({ pending: 0, held: 0, rejected: 0 });
      expect(Object.keys(await world.portal.contacts())).toHaveLength(9);
      expect((await world.run(["status", "--json"])).json).toMatchObject({
        connections: [{ state: "connected", banner: null }],
      });
      expect((await running.stop()).code).toBe(0);
    },
  );
});
