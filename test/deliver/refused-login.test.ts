/** A refusal on the way to the vendor's tokens is somebody's: told at once, mended by one command, awake within seconds. */
import { readFileSync, writeFileSync } from "node:fs";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { fakeClock } from "../fake-clock.ts";
import { launchService, send, type Service } from "../end-to-end/program.ts";
import { leastOf, msOf } from "../least.ts";
import { CLIENT_SECRET, connected, importResults, invite, succeed, until, type World } from "../world.ts";

const Attempts = v.object({
  attempts: v.array(v.object({ outcome: v.string(), reason: v.nullable(v.string()) })),
});

/** A service whose access token is about to end, so that what is delivered needs a new one. */
async function withShortTokens(): Promise<World> {
  const world = await connected();
  await world.portal.settings({ accessTokenSeconds: 1 });
  await succeed(world, ["connect", "hubspot"]);
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  return world;
}

const refuse = (world: World, status: number, body: object) =>
  world.portal.fault({ path: "/oauth", status, body });

async function attempts(world: World) {
  const { json } = await world.run(["logs", "--json", "--reveal"]);
  return v.parse(Attempts, json).attempts;
}

async function isDelivered(world: World, n: number): Promise<boolean> {
  return Object.keys(await world.portal.contacts()).length === n;
}

async function stop(service: Service): Promise<void> {
  service.child.kill("SIGTERM");
  await service.ended;
}

const REFUSALS: [what: string, status: number, body: object, code: number, words: string][] = [
  [
    "a wrong client secret",
    401,
    { error: "invalid_client", error_description: "bad", status: "BAD_CLIENT_SECRET", message: "bad" },
    2,
    "secrets set hubspot.client-secret",
  ],
  [
    "another client id",
    400,
    { error: "invalid_client", status: "BAD_CLIENT_ID", message: "unknown" },
    2,
    "hubspot.client_id",
  ],
  [
    "scopes that the app does not have",
    400,
    { status: "BAD_SCOPES", message: "one or more scopes are invalid" },
    6,
    "BAD_SCOPES",
  ],
];

describe("a refusal at the token endpoint", () => {
  test.each(REFUSALS)(
    "(%s) is a banner, one uncounted attempt, and an exit code",
    async (_, status, body, code, words) => {
      const world = await withShortTokens();
      await refuse(world, status, body);
      await succeed(world, [
        "invites",
        "import",
        world.file(
          "many.ndjson",
          Array.from({ length: 30 }, () => invite()),
        ),
      ]);
      const service = await launchService(world);
      const shown = await until("status tells", async () => {
        const run = await world.run(["status"]);
        return run.code === code ? run : null;
      });
      expect(shown.out).toMatch(/! HubSpot: refused since .*Results wait/);
      expect(shown.out).toContain(words);
      const tried = await until("an attempt stands in logs", async () => {
        const all = await attempts(world);
        return all.length > 0 ? all : null;
      });
      expect(tried).toMatchObject([{ outcome: "retry", reason: expect.stringContaining("HubSpot") }]);
      expect((await world.run(["status", "--json"])).json).toMatchObject({
        connections: [{ state: "connected" }],
        pushes: { pending: 30, held: 0 },
      });
      await stop(service);
    },
  );

  test("is mended by the command that status names, and what waits goes out within 5 s", async () => {
    const goesOutAfterMs = async () => {
      const world = await withShortTokens();
      await succeed(world, ["secrets", "set", "hubspot.client-secret"], "wrong");
      const service = await launchService(world);
      expect((await send(service.url, invite()))?.status).toBe(202);
      const shown = await until("status tells", async () => {
        const run = await world.run(["status"]);
        return run.code === 2 ? run : null;
      });
      await until("an attempt stands in logs", async () => (await attempts(world)).length > 0);
      const [, command = ""] = /jc-integrations (secrets set [\w.-]*\w)/.exec(shown.out) ?? [];
      await succeed(world, command.split(" "), CLIENT_SECRET);
      const tookMs = await msOf(() => until("it is delivered", () => isDelivered(world, 1)));
      await until("nothing is told any more", async () => (await world.run(["status"])).code === 0);
      expect(await attempts(world)).toMatchObject([{ outcome: "retry" }, { outcome: "delivered" }]);
      return tookMs;
    };
    expect(await leastOf(5_000, goesOutAfterMs)).toBeLessThan(5_000);
  });

  test("is mended by a new consent, and what waits goes out within 5 s", async () => {
    const goesOutAfterMs = async () => {
      const world = await withShortTokens();
      await refuse(world, 400, { status: "BAD_SCOPES", message: "one or more scopes are invalid" });
      const service = await launchService(world);
      expect((await send(service.url, invite()))?.status).toBe(202);
      await until("status tells", async () => (await world.run(["status"])).code === 6);
      await world.portal.clearFaults();
      await world.portal.settings({ accessTokenSeconds: 1_800 });
      await succeed(world, ["connect", "hubspot"]);
      const tookMs = await msOf(() => until("it is delivered", () => isDelivered(world, 1)));
      await until("nothing is told any more", async () => (await world.run(["status"])).code === 0);
      return tookMs;
    };
    expect(await leastOf(5_000, goesOutAfterMs)).toBeLessThan(5_000);
  });

  test("is mended by a restart after the configuration was put right", async () => {
    const world = await withShortTokens();
    const right = readFileSync(world.configFile, "utf8");
    for (const wrong of ['client_id = "app-2"', 'client_id = ""']) {
      writeFileSync(world.configFile, right.replace('client_id = "app-1"', wrong));
      const service = await launchService(world);
      expect((await send(service.url, invite()))?.status).toBe(202);
      const shown = await until("status tells", async () => {
        const run = await world.run(["status"]);
        return run.code === 2 ? run : null;
      });
      expect(shown.out).toContain("client_id");
      await stop(service);
    }
    writeFileSync(world.configFile, right);
    const service = await launchService(world);
    await until("all is delivered", () => isDelivered(world, 2));
    await until("nothing is told any more", async () => (await world.run(["status"])).code === 0);
    await stop(service);
  });

  test("is told while the token at hand still serves, and keeps back nothing", async () => {
    const clock = fakeClock();
    const world = await connected({ clock });
    // Half an hour is a token's life, and its last five minutes are time to refresh it.
    clock.jump(clock.now() + 27 * 60_000);
    await succeed(world, ["secrets", "set", "hubspot.client-secret"], "wrong");
    await succeed(world, ["invites", "import", world.file("one.ndjson", [invite()])]);
    await succeed(world, ["run", "retry"]);
    expect(await isDelivered(world, 1)).toBe(true);
    expect((await world.run(["status"])).code).toBe(2);
  });

  test("stays told while an access token of before serves, until the client secret is taken", async () => {
    const world = await connected();
    await succeed(world, ["secrets", "set", "hubspot.client-secret"], "wrong");
    expect((await world.run(["doctor"])).code).toBe(2);
    for (const n of [1, 2]) {
      await importResults(world, [invite()]);
      await succeed(world, ["run", "retry"]);
      expect(await isDelivered(world, n)).toBe(true);
      const { code, out } = await world.run(["status"]);
      expect([code, out]).toEqual([2, expect.stringContaining("secrets set hubspot.client-secret")]);
    }
    // That the vendor cannot be asked just now proves nothing either.
    await refuse(world, 503, {});
    await succeed(world, ["run", "refresh"]);
    expect((await world.run(["status"])).code).toBe(2);
    await world.portal.clearFaults();
    await succeed(world, ["secrets", "set", "hubspot.client-secret"], CLIENT_SECRET);
    await succeed(world, ["run", "refresh"]);
    expect((await world.run(["status"])).code).toBe(0);
  });
});

describe("a login that any command finds dead", () => {
  test.each(["resync-properties", "resync-properties --dry-run", "run refresh"])(
    "(%s) is recorded, with its alert",
    async (line) => {
      const world = await connected({ env: { JC_ALERTS_TELEGRAM_CHAT_ID: "4711" } });
      Object.assign(world.env, { JC_ALERTS_TELEGRAM_API_BASE: world.emulator.telegram });
      await succeed(world, ["secrets", "set", "telegram.bot-token"], "123:abcdef");
      await world.portal.settings({ accessTokenSeconds: 1 });
      await succeed(world, ["connect", "hubspot"]);
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      await world.portal.fault({ revoked: true });
      expect((await world.run(line.split(" "))).code).toBe(4);
      expect((await world.run(["status"])).code).toBe(4);
      await succeed(world, ["run", "alerts"]);
      const told = await world.telegram.messages();
      expect(told).toMatchObject([{ text: expect.stringContaining("connect hubspot --org acme") }]);
    },
  );
});
