import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { serving } from "../daemon/serving.ts";
import { fakeClock } from "../fake-clock.ts";
import { follow, visit } from "../oauth/browser.ts";
import {
  connect,
  connected,
  disc,
  freshWorld,
  importResults,
  invite,
  prepared,
  succeed,
  until,
  type World,
} from "../world.ts";
import {
  expectNoConnection,
  isAlive,
  lastPage,
  linkIn,
  OTHER_PORTAL,
  PORTAL,
  SCOPES,
  statusOf,
  tokensOf,
} from "./world.ts";

const NOON = Date.UTC(2026, 10, 22, 12);
const inProgress = () =>
  invite({ type: "invite.progress", tests: [disc(), { slug: "mbti", status: "started" }] });

function redirectUriOf(world: World): string {
  const port = /redirect_port = (\d+)/.exec(readFileSync(world.configFile, "utf8"))?.[1];
  return `http://localhost:${port}/hubspot/oauth-callback`;
}

describe("a connect that succeeds", () => {
  test("shows the account, its region, scopes, expiry, where the tokens rest and what to do next", async () => {
    const world = await prepared({ clock: fakeClock(NOON) });
    const { code, out, err } = await world.run(["connect", "hubspot"]);
    expect(code).toBe(0);
    expect(out.split("\n").map((line) => line.replace(/ {2,}/g, "  "))).toEqual([
      "HubSpot  [Connected]",
      "",
      "account  portal-8480001.emulator.example (8480001, DEVELOPER_TEST)",
      "data hosted in  eu1",
      "scopes  5 granted",
      "token  until 2026-11-22 12:30 UTC, refreshed by itself",
      "API version  v3, supported until 2027-09-01",
      `vault  the sealed vault in ${world.stateDir}, key from ${join(world.dir, "vault.key")}`,
      "properties  17 created, 0 there already",
      "",
      "Deliver as they come: jc-integrations serve",
      "",
    ]);
    expect(err).toMatch(/^Give JobCannon access to HubSpot in the browser:\n\nhttp\S+\n\n$/);
    expect(await lastPage(world)).toContain("HubSpot is connected");
  });

  test("says nothing of serve while that runs", async () => {
    const world = await prepared();
    await serving(world);
    const { out } = await succeed(world, ["connect", "hubspot"]);
    expect(out).toMatch(/properties +17 created, 0 there already *\n$/);
  });

  test("says the same as JSON, beside the link on stderr", async () => {
    const world = await prepared({ clock: fakeClock(NOON) });
    const { json, err } = await world.run(["connect", "hubspot", "--json"]);
    expect(json).toEqual({
      version: 1,
      connection: {
        vendor: "hubspot",
        environment: "production",
        state: "connected",
        account: {
          id: String(PORTAL),
          name: "portal-8480001.emulator.example",
          kind: "DEVELOPER_TEST",
          region: "eu1",
          timeZone: "UTC",
        },
        scopes: SCOPES,
        login: null,
        missingScopes: [],
        tokenExpiresAt: "2026-11-22T12:30:00.000Z",
      },
      vault: `the sealed vault in ${world.stateDir}, key from ${join(world.dir, "vault.key")}`,
      properties: {
        created: expect.arrayContaining(["jc_disc_d"]),
        existing: [],
        overQuota: [],
        drifted: [],
        leftOut: [],
      },
      apiVersion: { name: "v3", supportedUntil: "2027-09-01" },
      propertiesProblem: null,
      released: 0,
      waiting: 0,
    });
    // One document a stream: what is to be opened is for a script to read, too.
    expect(JSON.parse(err)).toEqual({ version: 1, consentUrl: expect.stringMatching(/^http.*authorize\?/) });
  });

  test("says how many earlier results wait for a backfill, which then sends them", async () => {
    const world = await prepared();
    await importResults(world, [
      invite(),
      invite(),
      inProgress(),
      invite({ type: "invite.sent", tests: [] }),
    ]);
    const { out } = await world.run(["connect", "hubspot"]);
    expect(out).toContain("\n2 earlier results wait: jc-integrations backfill --org acme\n");
    await succeed(world, ["backfill", "--yes"]);
    expect(Object.keys(await world.portal.contacts())).toHaveLength(2);
    expect((await world.run(["connect", "hubspot", "--json"])).json).toMatchObject({ waiting: 0 });
  });

  test("finds the portal's properties there when it connects again", async () => {
    const world = await connected();
    const again = await world.run(["connect", "hubspot"]);
    expect(again.out).toMatch(/properties +0 created, 17 there already/);
  });
});

describe("a connect with scopes missing", () => {
  test("shows what was wanted beside what was granted, and ends with 7", async () => {
    const world = await prepared();
    await world.portal.settings({ grantedScopes: SCOPES.slice(0, 3) });
    const { code, out, err } = await world.run(["connect", "hubspot"]);
    expect(code).toBe(7);
    expect(out).toMatch(/scopes +3 of 5 granted\n/);
    for (const scope of SCOPES.slice(0, 3)) expect(out).toContain(`${scope}  granted\n`);
    for (const scope of SCOPES.slice(3)) expect(out).toContain(`${scope}  missing\n`);
    expect(err).toContain(
      "not granted: crm.schemas.contacts.read, crm.schemas.contacts.write\n  → Add the scopes to the app",
    );
  });

  test("leaves a banner, which the bootstrap keeps and a full grant takes away", async () => {
    const world = await prepared();
    await world.portal.settings({
      grantedScopes: SCOPES.filter((scope) => !scope.endsWith("objects.contacts.write")),
    });
    expect((await world.run(["connect", "hubspot"])).code).toBe(7);
    const banner = "these scopes were not granted: crm.objects.contacts.write";
    expect(await statusOf(world)).toMatchObject({ state: "connected", banner });
    await succeed(world, ["resync-properties"]);
    expect((await statusOf(world)).banner).toBe(banner);
    await world.portal.settings({ grantedScopes: null });
    await succeed(world, ["connect", "hubspot"]);
    expect(await statusOf(world)).toMatchObject({ banner: null, missingScopes: [] });
  });

  test("sends what was held for the scope once it is granted", async () => {
    const world = await connected();
    await world.portal.settings({ grantedScopes: SCOPES.slice(0, 2) });
    await importResults(world, [invite()]);
    await world.run(["run", "retry"]);
    expect((await statusOf(world)).pushes).toMatchObject({ held: 1 });
    await world.portal.settings({ grantedScopes: null });
    expect((await world.run(["connect", "hubspot"])).out).toMatch(/held results +1 go out now/);
    await succeed(world, ["run", "retry"]);
    expect((await statusOf(world)).pushes).toMatchObject({ held: 0, delivered: 1 });
  });
});

describe("a connect that fails changes nothing and ends with", () => {
  test("3 when the admin denies", async () => {
    const world = await prepared({ autoApprove: false });
    const connecting = world.start(["connect", "hubspot"]);
    const page = await until("the consent page is open", () => world.visits[0]);
    const denied = await fetch(page.url, {
      method: "POST",
      body: new URLSearchParams({ decision: "deny" }),
      redirect: "manual",
    });
    const end = await follow(denied.headers.get("location") ?? "");
    const { code, err } = await connecting.done;
    expect(code).toBe(3);
    expect(err).toContain("Error: Consent was denied in HubSpot. Nothing was changed");
    expect(end.body).toContain("HubSpot was not connected");
    await expectNoConnection(world);
  });

  test("3 when nobody answers in time, with the redirect URI that the vendor's page may have refused", async () => {
    const clock = fakeClock(NOON);
    const world = await prepared({ clock });
    await world.portal.settings({ redirectUris: ["http://localhost:1/elsewhere"] });
    const connecting = world.start(["connect", "hubspot"]);
    const page = await until("HubSpot has refused the link", () => world.visits[0]);
    expect(page).toMatchObject({ status: 400, body: expect.stringContaining("redirect_uri does not match") });
    await clock.advance(5 * 60_000);
    const { code, err } = await connecting.done;
    expect(code).toBe(3);
    expect(err).toContain("Nobody gave consent in HubSpot in time");
    expect(err).toContain(`Register exactly this one with the app: ${redirectUriOf(world)}\n`);
    await expectNoConnection(world);
  });

  test("2 when the client secret is wrong, with what to type", async () => {
    const world = await prepared();
    await succeed(world, ["secrets", "set", "hubspot.client-secret"], "wrong");
    const { code, err } = await world.run(["connect", "hubspot"]);
    expect(code).toBe(2);
    expect(err).toContain("jc-integrations secrets set hubspot.client-secret");
    expect(await lastPage(world)).toContain("HubSpot was not connected");
    await expectNoConnection(world);
  });

  test("2 when the redirect URI is refused at the exchange, with the exact one", async () => {
    const world = await prepared();
    await world.portal.fault({
      status: 400,
      path: "/oauth/v3/token",
      body: { status: "BAD_REDIRECT_URI", message: "redirect_uri is not registered" },
    });
    const { code, err } = await world.run(["connect", "hubspot"]);
    expect(code).toBe(2);
    expect(err).toContain(`Register exactly this one with the app: ${redirectUriOf(world)}\n`);
    await expectNoConnection(world);
  });

  test("with the command line to type again, for that org and environment", async () => {
    const world = await prepared();
    await succeed(world, ["secrets", "set", "hubspot.client-secret", "--sandbox"], "another secret");
    const body = { status: "BAD_AUTH_CODE", message: "the code is spent" };
    await world.portal.fault({ status: 400, path: "/oauth/v3/token", body });
    const { err } = await world.run(["connect", "hubspot", "--org", "globex", "--sandbox"]);
    expect(err).toContain("Run again: jc-integrations connect hubspot --org globex --sandbox\n");
  });

  test.each([
    [
      "200 without a token",
      { status: 200, body: { token_type: "bearer" } },
      "answered without an access token",
    ],
    ["500", { status: 500 }, "token endpoint answered 500"],
    ["a web page", { status: 502, body: "<html>Bad gateway</html>" }, "token endpoint answered a web page"],
    [
      "a web page under 200",
      { status: 200, body: "<html>Sign in</html>" },
      "token endpoint answered a web page",
    ],
    ["a cut connection", { drop: true }, "did not answer"],
  ])("6 when the token endpoint answers %s", async (_what, fault, words) => {
    const world = await prepared();
    await world.portal.fault({ ...fault, path: "/oauth/v3/token" });
    const { code, err } = await world.run(["connect", "hubspot"]);
    expect(code).toBe(6);
    expect(err).toContain(words);
    expect(await lastPage(world)).toContain("HubSpot was not connected");
    await expectNoConnection(world);
  });

  test("6 when there is no network behind the browser's", async () => {
    const world = await prepared();
    const env = { JC_HUBSPOT_API_BASE: "http://127.0.0.1:9" };
    const { code, err } = await world.run(["connect", "hubspot"], { env });
    expect(code).toBe(6);
    expect(err).toContain("127.0.0.1:9 did not answer: ECONNREFUSED\n  → Check the network");
    await expectNoConnection(world);
  });

  test("2 when the port of the redirect is taken, naming who holds it and the key to change", async () => {
    const world = await prepared();
    const port = Number(new URL(redirectUriOf(world)).port);
    const holder = createServer().listen(port, "127.0.0.1");
    onTestFinished(() => void holder.close());
    await until("the port is taken", () => holder.listening);
    const { code, err } = await world.run(["connect", "hubspot"]);
    expect(code).toBe(2);
    expect(err).toContain(`Port ${port} is taken by`);
    expect(err).toContain(`(pid ${process.pid})`);
    expect(err).toContain("set hubspot.redirect_port to another port");
    expect(world.visits).toEqual([]);
    await expectNoConnection(world);
  });

  test("2 when the client id is missing, before anybody is asked", async () => {
    const world = await prepared();
    const withoutId = readFileSync(world.configFile, "utf8").replace(/^client_id.*$/m, "");
    writeFileSync(world.configFile, withoutId);
    const { code, err } = await world.run(["connect", "hubspot"]);
    expect(code).toBe(2);
    expect(err).toContain("Error: hubspot.client_id is not set\n  → Put the app's client id");
    expect(linkIn(err)).toBeNull();
  });

  test("2 when the client secret is missing, before anybody is asked", async () => {
    const world = await freshWorld();
    const { code, err } = await world.run(["connect", "hubspot"]);
    expect(code).toBe(2);
    expect(err).toBe(
      "Error: the secret hubspot.client-secret is not set\n  → jc-integrations secrets set hubspot.client-secret\n",
    );
  });

  test("5 when the tokens cannot be kept, and the browser is not told otherwise", async () => {
    const world = await prepared();
    const vault = new Database(join(world.stateDir, "vault.db"));
    vault.exec("CREATE TRIGGER full BEFORE INSERT ON item BEGIN SELECT RAISE(ABORT, 'no room'); END");
    const { code } = await world.run(["connect", "hubspot"]);
    vault.exec("DROP TRIGGER full");
    vault.close();
    expect(code).toBe(5);
    expect(await lastPage(world)).toContain("HubSpot was not connected");
    await expectNoConnection(world);
  });
});

describe("consent from another account than before", () => {
  async function movedTo(portalId: number): Promise<World> {
    const world = await connected();
    await importResults(world, [invite(), invite()]);
    await succeed(world, ["run", "retry"]);
    await world.portal.settings({ portalId });
    return world;
  }

  test("is refused without a word of consent here: exit 2, and nothing changed", async () => {
    const world = await movedTo(OTHER_PORTAL);
    const tokens = await tokensOf(world);
    for (const flags of [["--no-input"], []]) {
      const { code, err } = await world.run(["connect", "hubspot", ...flags]);
      expect(code).toBe(2);
      expect(err).toContain(`consent came from account ${OTHER_PORTAL}, not ${PORTAL} as before`);
      expect(err).toContain("run it again with --yes. Nothing was changed.");
    }
    expect(await lastPage(world)).toContain("HubSpot was not connected");
    expect(await tokensOf(world)).toEqual(tokens);
    expect(await statusOf(world)).toMatchObject({
      account: expect.stringContaining(String(PORTAL)),
      pushes: { delivered: 2 },
    });
  });

  test("counts with --yes, and then everything counts as never sent", async () => {
    const world = await movedTo(OTHER_PORTAL);
    const { code, out } = await world.run(["connect", "hubspot", "--yes"]);
    expect(code).toBe(0);
    expect(out).toMatch(/properties +17 created/);
    expect(out).toContain("2 earlier results wait: jc-integrations backfill");
    expect((await statusOf(world)).pushes).toMatchObject({ delivered: 0 });
    await succeed(world, ["backfill", "--yes"]);
    expect((await statusOf(world)).pushes).toMatchObject({ delivered: 2 });
  });

  test("is still another account to whoever connects again after a connect that was cut off", async () => {
    const world = await movedTo(OTHER_PORTAL);
    const log = new Database(join(world.stateDir, "log.db"));
    log.exec("CREATE TRIGGER cut BEFORE UPDATE ON pushes BEGIN SELECT RAISE(ABORT, 'cut off'); END");
    expect((await world.run(["connect", "hubspot", "--yes"])).code).not.toBe(0);
    log.exec("DROP TRIGGER cut");
    log.close();
    expect((await world.run(["connect", "hubspot"])).code).toBe(2);
    expect((await world.run(["connect", "hubspot", "--yes", "--json"])).json).toMatchObject({ waiting: 2 });
  });

  test("is no other account when only its name or region changed", async () => {
    const world = await movedTo(PORTAL);
    await world.portal.settings({ dataHostingLocation: "na1" });
    const { code, out } = await world.run(["connect", "hubspot", "--no-input", "--allow-cross-region"]);
    expect(code).toBe(0);
    expect(out).toMatch(/data hosted in +na1/);
    expect((await statusOf(world)).pushes).toMatchObject({ delivered: 2 });
  });
});

describe("a sandbox beside production", () => {
  test("has its own portal and tokens, and results go to production only", async () => {
    const world = await connected();
    await succeed(world, ["secrets", "set", "hubspot.client-secret", "--sandbox"], "another secret");
    await world.portal.settings({ portalId: OTHER_PORTAL, accountType: "SANDBOX" });
    const { code, out } = await world.run(["connect", "hubspot", "--sandbox"]);
    expect(code).toBe(0);
    expect(out).toContain(`(${OTHER_PORTAL}, SANDBOX)`);
    expect(out).not.toContain("backfill");

    const [production, sandbox] = [await tokensOf(world), await tokensOf(world, "sandbox")];
    expect(sandbox.refreshToken).not.toBe(production.refreshToken);
    expect(await isAlive(world, production.accessToken)).toBe(true);

    await importResults(world, [invite()]);
    await succeed(world, ["run", "retry"]);
    expect((await statusOf(world)).pushes).toMatchObject({ delivered: 1 });
    expect(await statusOf(world, "--sandbox")).toMatchObject({
      account: expect.stringContaining(String(OTHER_PORTAL)),
      pushes: { pending: 0, delivered: 0 },
    });
  });

  test("says nothing of results that would wait for a backfill", async () => {
    const world = await prepared();
    await importResults(world, [invite()]);
    await succeed(world, ["secrets", "set", "hubspot.client-secret", "--sandbox"], "another secret");
    expect((await world.run(["connect", "hubspot", "--sandbox", "--json"])).json).toMatchObject({
      waiting: 0,
    });
    expect((await world.run(["connect", "hubspot", "--json"])).json).toMatchObject({ waiting: 1 });
  });
});

describe("after the portal's admin took the app's rights back", () => {
  test("results are held, connecting again releases them, and they arrive", async () => {
    const world = await connected();
    await importResults(world, [invite()]);
    await world.portal.fault({ revoked: true });
    await world.run(["run", "retry"]);
    await importResults(world, [invite()]);
    expect(await statusOf(world)).toMatchObject({ state: "must_reconnect", pushes: { held: 2, pending: 0 } });
    expect((await world.run(["status"])).code).toBe(4);

    const { code, out } = await world.run(["connect", "hubspot"]);
    expect(code).toBe(0);
    expect(out).toMatch(/held results +2 go out now/);
    await succeed(world, ["run", "retry"]);
    expect(Object.keys(await world.portal.contacts())).toHaveLength(2);
    expect(await statusOf(world)).toMatchObject({
      state: "connected",
      banner: null,
      pushes: { delivered: 2 },
    });
  });
});

describe("the link", () => {
  test("is all that --no-browser gives, and a pasted address answers it", async () => {
    const world = await prepared();
    let link = "";
    async function* pasted() {
      link = await until("the link is shown", () => linkIn(connecting.err()));
      const { headers } = await visit(link);
      yield `${headers.location}\n`;
    }
    const connecting = world.start(["connect", "hubspot", "--no-browser"], { stdin: pasted() });
    expect(await connecting.done).toMatchObject({ code: 0, out: expect.stringContaining("[Connected]") });
    expect(world.visits).toEqual([]);
  });

  test("still counts when the terminal it was shown in has gone", async () => {
    const world = await prepared();
    async function* broken() {
      yield "hm?\n";
      throw new Error("EIO: the terminal was closed");
    }
    const connecting = world.start(["connect", "hubspot", "--no-browser"], { stdin: broken() });
    const link = await until("the link is shown", () => linkIn(connecting.err()));
    await until("what was typed has been answered", () => connecting.err().includes("That is no address"));
    await follow(link);
    expect(await connecting.done).toMatchObject({ code: 0, err: expect.not.stringContaining("bug") });
  });
});

test("the first day's three commands make a world that delivers", async () => {
  const world = await freshWorld();
  await connect(world);
  await importResults(world, [invite({ email: "Ann@Example.com" })]);
  await succeed(world, ["run", "retry"]);
  expect(Object.keys(await world.portal.contacts())).toEqual(["ann@example.com"]);
});
