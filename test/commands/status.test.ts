import fs, { appendFileSync, existsSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { unbroken } from "../../src/core/advice/unbroken.ts";
import { OTHER_PORTAL, statusOf } from "../connect/world.ts";
import { serving } from "../daemon/serving.ts";
import { pushesOf, REFUSED } from "../deliver/commands.ts";
import { type FakeClock, fakeClock } from "../fake-clock.ts";
import {
  connect,
  connected,
  freshWorld,
  importResults,
  invite,
  succeed,
  until,
  type World,
} from "../world.ts";

const SCOPES = [
  "oauth",
  "crm.objects.contacts.read",
  "crm.objects.contacts.write",
  "crm.schemas.contacts.read",
  "crm.schemas.contacts.write",
];

describe("status", () => {
  test("of an org that was never connected says how to connect", async () => {
    const world = await freshWorld();
    const { code, out } = await world.run(["status"]);
    expect(code).toBe(0);
    expect(out).toContain("[Not connected]");
    expect(out).toContain("service not running");
    expect(out).toContain(`acme has no connection and no events in ${world.stateDir}\n`);
    expect(out).toContain("connect: jc-integrations connect hubspot --org acme");
  });

  test("creates nothing where there is no store yet", async () => {
    const world = await freshWorld();
    expect((await world.run(["status", "--json"])).json).toMatchObject({
      isKnown: false,
      orgs: [],
      connections: [{ vendor: "hubspot", state: "not_connected" }],
      pushes: { pending: 0, delivered: 0, rejected: 0, held: 0, stuck: 0 },
      service: "not running",
    });
    expect(existsSync(world.stateDir)).toBe(false);
    await world.run(["secrets", "set", "hubspot.client-secret"], { stdin: "a client's secret" });
    await world.run(["status"]);
    expect(existsSync(join(world.stateDir, "log.db"))).toBe(false);
  });

  test("of an org that was mistyped names those that are there, and ends with 2", async () => {
    const world = await connected();
    await world.run(["invites", "import", world.file("events.ndjson", [invite({ org: "globex" })])]);
    const { code, out, err } = await world.run(["status", "--org", "acmee"]);
    expect(code).toBe(2);
    expect(out).toContain(
      `acmee has no connection and no events in ${world.stateDir}; the orgs there: acme, globex`,
    );
    expect(err).toContain("nothing is known of the org acmee");
    expect(err).toContain("jc-integrations connect hubspot --org acmee");
    for (const known of ["acme", "globex"]) {
      const { code, out } = await world.run(["status", "--org", known]);
      expect([code, out]).toEqual([0, expect.not.stringContaining("no events in")]);
    }
  });

  test("of a configured org that has nothing yet ends with 0", async () => {
    const world = await connected();
    const { code, out } = await world.run(["status"], { env: { JC_ORG: "newcomer" } });
    expect(code).toBe(0);
    expect(out).toContain("newcomer has no connection and no events");
    appendFileSync(world.configFile, "[orgs.globex]\nretention_days = 30\n");
    expect((await world.run(["status", "--org", "globex"])).code).toBe(0);
  });

  test("of a connected one shows its account and how far the results are", async () => {
    const world = await connected();
    await world.run(["invites", "import", world.file("events.ndjson", [invite(), invite()])]);
    const waiting = await world.run(["status"]);
    expect(waiting.out).toContain("2 results wait for delivery: jc-integrations serve");
    expect(waiting.out).toContain("[Connected]");
    expect(waiting.out).toMatch(
      /^HubSpot {2}\[Connected\]\n {2}\S+ \(8480001\), nothing sent yet\n {2}0 delivered, 2 pending$/m,
    );
    await world.run(["run", "retry"]);
    const delivered = await world.run(["status"]);
    expect(delivered.out).toContain("2 invites; 2 events taken in all");
    expect(delivered.out).toMatch(/, last sync just now\n {2}2 delivered$/m);
  });

  test("--all shows each org, what is the machine's once, and the worst decides the exit code", async () => {
    const world = await connected();
    await world.run(["invites", "import", world.file("events.ndjson", [invite({ org: "globex" })])]);
    const all = await world.run(["status", "--all"]);
    expect(all.code).toBe(0);
    expect(all.out).toMatch(/^acme {2}0 invites;[\s\S]*^globex {2}1 invite;/m);
    expect(all.out.match(/next sweep/g)).toHaveLength(1);
    expect(all.out).toContain("→ connect: jc-integrations connect hubspot --org globex\n");
    expect((await world.run(["status", "--all", "--json"])).json).toMatchObject({
      version: 1,
      orgs: [{ org: "acme" }, { org: "globex" }],
    });
    await world.portal.fault({ revoked: true });
    await importResults(world, [invite()]);
    await world.run(["run", "retry"]);
    const lost = await world.run(["status", "--all", "--org", "globex"]);
    expect(lost).toMatchObject({ code: 4, err: expect.stringContaining("connect hubspot --org acme") });
  });

  test("--watch tells of each change until it is ended", async () => {
    const world = await connected();
    const watching = world.start(["status", "--watch", "--json"]);
    await until("it has looked", () => watching.out().includes('"pending":0'));
    await importResults(world, [invite()]);
    await until("it sees what came", () => watching.out().includes('"pending":1'));
    const { code, out } = await watching.stop();
    expect(code).toBe(0);
    expect(
      out
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).version),
    ).toContain(1);
  });

  test("as JSON has the shape that scripts rely on", async () => {
    const clock = fakeClock(Date.UTC(2026, 10, 22, 12));
    const world = await connected({ clock });
    await world.run(["invites", "import", world.file("events.ndjson", [invite(), invite()])]);
    await world.run(["run", "retry"]);
    const { code, json } = await world.run(["status", "--json"]);
    expect(code).toBe(0);
    expect(json).toMatchObject({
      version: 1,
      org: "acme",
      connections: [
        {
          vendor: "hubspot",
          environment: "production",
          state: "connected",
          account: expect.stringContaining("(8480001)"),
          scopes: SCOPES,
          missingScopes: [],
          tokenExpiresAt: "2026-11-22T12:30:00.000Z",
          lastSyncAt: "2026-11-22T12:00:00.000Z",
          banner: null,
        },
      ],
      pushes: { pending: 0, delivered: 2, rejected: 0, held: 0, stuck: 0 },
      events: { total: 2, unmatched: 0 },
      nextSweepAt: "2026-11-23T02:00:00.000Z",
      service: "not running",
    });
  });

  test("counts a push as stuck when it waits for more than 30 minutes", async () => {
    const clock = fakeClock();
    const world = await connected({ clock });
    await world.run(["invites", "import", world.file("events.ndjson", [invite()])]);
    await clock.advance(30 * 60_000);
    expect((await world.run(["status", "--json"])).json).toMatchObject({ pushes: { pending: 1, stuck: 0 } });
    await clock.advance(1);
    expect((await world.run(["status", "--json"])).json).toMatchObject({ pushes: { pending: 1, stuck: 1 } });
  });

  test("tells whether the service runs", async () => {
    const world = await connected();
    const { running } = await serving(world);
    expect((await world.run(["status", "--json"])).json).toMatchObject({ service: "running" });
    expect(await running.stop()).toMatchObject({ code: 0 });
  });

  test("of a connection that the vendor has revoked says how to mend it, and ends with 4", async () => {
    const world = await connected();
    await world.run(["invites", "import", world.file("events.ndjson", [invite()])]);
    await world.portal.fault({ revoked: true });
    await world.run(["run", "retry"]);
    const { code, out, err } = await world.run(["status"]);
    expect(code).toBe(4);
    expect(out).toContain("[Not connected]");
    expect(out).toContain("! HubSpot: must reconnect");
    expect(out).toContain("1 held");
    expect(err).toContain("→ jc-integrations connect hubspot --org acme");

    await world.portal.fault({ revoked: false });
    await connect(world);
    await world.run(["run", "retry"]);
    const { code: afterwards, json } = await world.run(["status", "--json"]);
    expect(afterwards).toBe(0);
    expect(json).toMatchObject({ pushes: { delivered: 1, held: 0 } });
  });

  test("keeps orgs and environments apart", async () => {
    const world = await connected();
    for (const argv of [["--org", "globex"], ["--sandbox"]])
      expect((await world.run(["status", "--json", ...argv])).json).toMatchObject({
        connections: [{ vendor: "hubspot", state: "not_connected" }],
      });
  });
});

describe("earlier results in status", () => {
  const told = async (world: World) => {
    const { out } = await succeed(world, ["status"]);
    return /^→ (\d+ earlier results? .*)$/m.exec(out)?.[1] ?? null;
  };

  test("are told from connect on, until a backfill has taken them; what is left of them stays told", async () => {
    const world = await freshWorld();
    await importResults(world, [invite(), invite(), invite()]);
    await connect(world);
    expect(await told(world)).toBe(
      "3 earlier results were never sent: jc-integrations backfill --org acme --yes",
    );
    await succeed(world, ["backfill"]);
    expect((await world.run(["status", "--json"])).json).toMatchObject({ connections: [{ unsent: 3 }] });
    await succeed(world, ["backfill", "--limit", "2", "--yes"]);
    expect(await told(world)).toBe(
      "1 earlier result was never sent: jc-integrations backfill --org acme --yes",
    );
    await succeed(world, ["backfill", "--detach", "--yes"]);
    expect(await told(world)).toBeNull();
  });

  test("stay told after a backfill that was cut off", async () => {
    const world = await freshWorld();
    await importResults(
      world,
      Array.from({ length: 20 }, () => invite()),
    );
    await connect(world);
    const cut = world.start(["backfill", "--rate", "1", "--yes"]);
    await until("one is queued", async () => ((await pushesOf(world)).pending ?? 0) > 0);
    expect(await cut.stop()).toMatchObject({ code: 130 });
    expect(await told(world)).toMatch(/^20 earlier results were never sent/);
    await succeed(world, ["backfill", "--yes"]);
    expect(await told(world)).toBeNull();
  });

  test("of another account are counted for that one", async () => {
    const world = await connected();
    await importResults(world, [invite()]);
    await succeed(world, ["run", "retry"]);
    expect(await told(world)).toBeNull();
    await world.portal.settings({ portalId: OTHER_PORTAL });
    await succeed(world, ["connect", "hubspot", "--yes"]);
    expect(await told(world)).toMatch(/^1 earlier result was never sent/);
  });
});

/** Every command that a text names, as words to run. */
function commandsIn(text: string): string[][] {
  return [...text.matchAll(/jc-integrations ((?:[\w-]+ ?)+)/g)].map(([, words = ""]) =>
    words.trim().split(" "),
  );
}

describe("a banner of status", () => {
  test("about rejected results names commands that work as they are printed", async () => {
    const world = await connected();
    await world.portal.fault(REFUSED);
    await importResults(world, [invite()]);
    expect((await world.run(["run", "retry"])).code).toBe(7);
    await world.portal.clearFaults();
    const { out } = await succeed(world, ["status"]);
    const banner = /! HubSpot: 1 result rejected; (.*)/.exec(out)?.[1] ?? "";
    const lines = unbroken(banner).filter((unit) => unit.startsWith("jc-integrations "));
    expect(lines).toEqual([
      "jc-integrations logs --outcome rejected --org acme",
      "jc-integrations replay --status rejected --org acme --yes",
    ]);
    const [logs = [], replay = []] = lines.flatMap(commandsIn);
    // Whatever org the machine is set to.
    const env = { JC_ORG: "globex" };
    expect((await world.run([...logs, "--json"], { env })).json).toMatchObject({ attempts: [{}] });
    expect((await world.run([...replay, "--json"], { env })).json).toMatchObject({ delivered: 1 });
  });

  test("about held results that nothing else tells of names the org", async () => {
    const world = await connected();
    await world.portal.settings({ grantedScopes: SCOPES.slice(0, 2) });
    await importResults(world, [invite()]);
    await world.run(["run", "retry"]);
    const log = new Database(join(world.stateDir, "log.db"));
    log.exec("UPDATE connections SET details = json_set(details, '$.banner', NULL)");
    log.close();
    expect(await bannerOf(world)).toBe(
      "1 result held; jc-integrations logs --outcome held --org acme says why",
    );
  });

  test("tells of a call that was not taken, before the vendor counts as failing, and of no address", async () => {
    const clock = fakeClock();
    const world = await failing(clock);
    expect(await bannerOf(world)).toBe(
      "did not take the last call (HubSpot answered 503); jc-integrations run retry asks now",
    );
    await world.portal.clearFaults();
    await succeed(world, ["run", "retry"]);
    expect(await bannerOf(world)).toBeNull();
  });

  test("says that a service tries again within a minute", async () => {
    const clock = fakeClock();
    const world = await failing(clock);
    await serving(world);
    expect(await bannerOf(world)).toBe(
      "did not take the last call (HubSpot answered 503); it is tried again within a minute",
    );
  });

  test("names the time until which the vendor wants to be left in peace", async () => {
    const world = await connected({ clock: fakeClock() });
    const headers = { "retry-after": "3600" };
    await world.portal.fault({ status: 503, headers, path: "/crm/v3/objects/contacts" });
    await importResults(world, [invite()]);
    expect((await world.run(["run", "retry"])).code).toBe(6);
    expect(await bannerOf(world)).toMatch(/; it asked to be left in peace until 2026-11-22 13:00 UTC$/);
  });

  test("of a vendor that fails names the command that asks now, and the time of the next try", async () => {
    const clock = fakeClock();
    const world = await failing(clock);
    for (let tries = 1; tries < 6; tries += 1) {
      clock.jump(clock.now() + 20_000);
      await world.run(["run", "retry"]);
    }
    const { out } = await world.run(["status"]);
    expect(out).toContain("1 result waits for delivery: jc-integrations serve");
    expect(out).toContain(
      "! HubSpot: fails at the moment (HubSpot answered 503), nothing is lost; jc-integrations run retry asks now",
    );
    const calls = (await world.portal.upserts()).length;
    await world.run(["run", "retry"]);
    expect(await world.portal.upserts()).toHaveLength(calls + 1);
    clock.jump(Date.UTC(2026, 10, 22, 12, 31));
    await world.run(["run", "retry"]);
    expect(await bannerOf(world)).toMatch(
      /^1 result undelivered to hubspot [\s\S]*The next try is due at 2026-11-22 12:35 UTC$/,
    );
  });
});

/** A world with one result whose first try HubSpot has answered with 503. */
async function failing(clock: FakeClock): Promise<World> {
  const world = await connected({ clock });
  await world.portal.fault({ status: 503, path: "/crm/v3/objects/contacts" });
  await importResults(world, [invite()]);
  expect((await world.run(["run", "retry"])).code).toBe(6);
  return world;
}

async function bannerOf(world: World): Promise<string | null> {
  return (await statusOf(world)).banner;
}

describe("the disk in status", () => {
  const MIB = 1024 * 1024;

  function withFree(bytes: number): void {
    const statfs = vi.spyOn(fs, "statfsSync");
    statfs.mockReturnValue({ bavail: bytes / 512, bsize: 512 } as fs.StatsFs);
    syncBuiltinESMExports();
    onTestFinished(() => {
      statfs.mockRestore();
      syncBuiltinESMExports();
    });
  }

  test("is told as a number, and null where there is no log", async () => {
    const world = await freshWorld();
    expect((await world.run(["status", "--json"])).json).toMatchObject({ disk: null });
    await connect(world);
    const { json, out } = await world.run(["status", "--json"]);
    expect(json).toMatchObject({ disk: { freeBytes: expect.any(Number) } });
    expect(out).not.toContain("the disk of");
  });

  test.each([
    [64 * MIB, null],
    [
      63 * MIB,
      "almost full (63 MB left): once it is full, serve refuses events with 503 until there is room, nothing acknowledged is lost",
    ],
    [
      0,
      "full (nothing left): serve refuses events with 503 until there is room, nothing acknowledged is lost",
    ],
  ])("with %i bytes left is told: %s", async (bytes, words) => {
    const world = await connected();
    withFree(bytes);
    const { out } = await succeed(world, ["status"]);
    if (words === null) expect(out).not.toContain("the disk of");
    else expect(out).toContain(`! the disk of ${world.stateDir} is ${words}\n`);
    expect((await world.run(["status", "--json"])).json).toMatchObject({ disk: { freeBytes: bytes } });
  });
});
