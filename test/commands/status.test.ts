import { appendFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { serving } from "../daemon/serving.ts";
import { fakeClock } from "../fake-clock.ts";
import { connect, connected, freshWorld, invite } from "../world.ts";

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
    expect(waiting.out).toContain("[Connected]");
    expect(waiting.out).toMatch(/HubSpot +\[Connected\] +\S+ \(8480001\) +– +0 delivered, 2 pending +0/);
    await world.run(["run", "retry"]);
    const delivered = await world.run(["status"]);
    expect(delivered.out).toContain("2 invites; the log holds 2 events in all");
    expect(delivered.out).toMatch(/just now +2 delivered +0/);
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
    expect(err).toContain("Try: jc-integrations connect hubspot --org acme");

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
