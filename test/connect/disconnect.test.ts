import { renameSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { serving } from "../daemon/serving.ts";
import { connected, freshWorld, importResults, invite, succeed, until, type World } from "../world.ts";
import { isAlive, OTHER_PORTAL, statusOf, tokensOf, vaultOf } from "./world.ts";

async function tokenNames(world: World): Promise<string[]> {
  return Object.keys(await vaultOf(world)).filter((name) => name.startsWith("token/"));
}

describe("disconnect", () => {
  test("revokes the tokens at HubSpot and forgets them here; the operator's secrets stay", async () => {
    const world = await connected();
    const { refreshToken } = await tokensOf(world);
    expect(await isAlive(world, refreshToken)).toBe(true);
    const { code, out, err } = await world.run(["disconnect", "hubspot", "--yes"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/^HubSpot is disconnected; our tokens are gone from the sealed vault in /);
    expect(await isAlive(world, refreshToken)).toBe(false);
    expect(Object.keys(await vaultOf(world))).toEqual([
      "secret/-/hubspot.client-secret/1",
      "secret/-/jobcannon.webhook-secret/1",
    ]);
    expect(await statusOf(world)).toMatchObject({ state: "not_connected", banner: null });
  });

  test("says the same as JSON", async () => {
    const world = await connected();
    await importResults(world, [invite()]);
    expect((await world.run(["disconnect", "hubspot", "--yes", "--json"])).json).toEqual({
      version: 1,
      vendor: "hubspot",
      environment: "production",
      revocation: { kind: "revoked" },
      uninstall: null,
      held: 1,
      linksVoided: 0,
    });
  });

  test("holds what is open and what comes; connecting again releases it, and it arrives", async () => {
    const world = await connected();
    await importResults(world, [invite(), invite()]);
    const { out } = await world.run(["disconnect", "hubspot", "--yes"]);
    expect(out).toContain("\n2 results held until you connect again.\n");
    await importResults(world, [invite()]);
    const list = await world.run(["invites", "list"]);
    expect(list.out.match(/held[^\n]*disconnected/g)).toHaveLength(3);
    await succeed(world, ["run", "retry"]);
    expect(await world.portal.upserts()).toEqual([]);
    expect((await statusOf(world)).pushes).toMatchObject({ pending: 0, held: 3 });

    expect((await world.run(["connect", "hubspot", "--json"])).json).toMatchObject({
      released: 3,
      waiting: 0,
    });
    await succeed(world, ["run", "retry"]);
    expect(Object.keys(await world.portal.contacts())).toHaveLength(3);
    expect((await statusOf(world)).pushes).toMatchObject({ held: 0, delivered: 3 });
  });

  test("is noticed by a running service, and so is the next connect", async () => {
    const world = await connected();
    const service = await serving(world);
    await succeed(world, ["disconnect", "hubspot", "--yes"]);
    expect((await service.post(invite())).status).toBe(202);
    await until("the result is held", async () => (await statusOf(world)).pushes.held === 1);
    await succeed(world, ["connect", "hubspot"]);
    await until("the result has arrived", async () => (await statusOf(world)).pushes.delivered === 1);
    expect(Object.keys(await world.portal.contacts())).toHaveLength(1);
  });

  test("of the sandbox leaves production as it is", async () => {
    const world = await connected();
    await world.portal.settings({ portalId: OTHER_PORTAL });
    await succeed(world, ["secrets", "set", "hubspot.client-secret", "--sandbox"], "another secret");
    await succeed(world, ["connect", "hubspot", "--sandbox"]);
    await importResults(world, [invite()]);
    const { json } = await world.run(["disconnect", "hubspot", "--yes", "--sandbox", "--json"]);
    expect(json).toMatchObject({ environment: "sandbox", held: 0 });
    expect(await tokenNames(world)).toEqual(["token/acme/hubspot/production"]);
    expect(await isAlive(world, (await tokensOf(world)).refreshToken)).toBe(true);
    expect(await statusOf(world)).toMatchObject({ state: "connected", pushes: { pending: 1, held: 0 } });
  });

  test("twice says that there is nothing to do", async () => {
    const world = await connected();
    await succeed(world, ["disconnect", "hubspot", "--yes"]);
    const before = await world.portal.requests();
    const { code, out } = await world.run(["disconnect", "hubspot", "--yes"]);
    expect({ code, out }).toEqual({
      code: 0,
      out: "HubSpot is not connected (acme, production): nothing to do.\n",
    });
    expect(await world.portal.requests()).toEqual(before);
  });

  test("of what was never connected is a mistake", async () => {
    const world = await freshWorld();
    const { code, err } = await world.run(["disconnect", "hubspot", "--yes"]);
    expect(code).toBe(2);
    expect(err).toBe("Error: acme has no HubSpot connection (production)\n  → jc-integrations status\n");
  });
});

describe("disconnect --uninstall", () => {
  test("also removes the app from the portal, with all its tokens", async () => {
    const world = await connected();
    const { accessToken, refreshToken } = await tokensOf(world);
    const { code, out } = await world.run(["disconnect", "hubspot", "--yes", "--uninstall"]);
    expect(code).toBe(0);
    expect(out).toContain("The app is removed from the account.");
    expect(await isAlive(world, accessToken)).toBe(false);
    expect(await isAlive(world, refreshToken)).toBe(false);
    expect(await tokenNames(world)).toEqual([]);
  });

  test("without tokens cannot reach the portal, and says where a person can", async () => {
    const world = await connected();
    await succeed(world, ["disconnect", "hubspot", "--yes"]);
    const { code, err } = await world.run(["disconnect", "hubspot", "--yes", "--uninstall"]);
    expect(code).toBe(7);
    expect(err).toContain("not at HubSpot: acme/hubspot/production is not connected");
    expect(err).toContain("Settings → Integrations → Connected Apps");
  });

  test("that HubSpot refuses still forgets the tokens, and says so", async () => {
    const world = await connected();
    await world.portal.fault({ status: 403, path: "/appinstalls", body: { message: "not allowed" } });
    const { code, out, err } = await world.run(["disconnect", "hubspot", "--yes", "--uninstall"]);
    expect(code).toBe(7);
    expect(out).not.toContain("The app is removed");
    expect(err).toContain("HubSpot refused removing the app with 403: not allowed");
    expect(await tokenNames(world)).toEqual([]);
  });
});

describe("disconnect in trouble", () => {
  test.each([
    ["fails", (world: World) => world.portal.fault({ status: 503, path: "/oauth/v3/token/revoke" })],
    ["is out of reach", (world: World) => world.emulator.close()],
    [
      "no longer knows our secret",
      (world: World) => succeed(world, ["secrets", "set", "hubspot.client-secret"], "wrong"),
    ],
    [
      "cannot be told our secret",
      (world: World) => succeed(world, ["secrets", "remove", "hubspot.client-secret", "--yes"]),
    ],
  ])("forgets here and ends with 7 when HubSpot %s", async (_what, trouble) => {
    const world = await connected();
    await importResults(world, [invite()]);
    await trouble(world);
    const { code, out, err } = await world.run(["disconnect", "hubspot", "--yes"]);
    expect(code).toBe(7);
    expect(out).toContain("HubSpot is disconnected");
    expect(err).toContain("Error: forgotten here, but not at HubSpot: ");
    expect(err).toContain("→ Remove the app in HubSpot under Settings → Integrations → Connected Apps.");
    expect(await tokenNames(world)).toEqual([]);
    expect(await statusOf(world)).toMatchObject({ state: "not_connected", pushes: { pending: 0, held: 1 } });
  });

  test("changes nothing and ends with 5 when the vault cannot be read", async () => {
    const world = await connected();
    await importResults(world, [invite()]);
    const key = join(world.dir, "vault.key");
    renameSync(key, `${key}.away`);
    const { code, err } = await world.run(["disconnect", "hubspot", "--yes"]);
    expect(code).toBe(5);
    expect(err).toContain("The vault's key is missing");
    renameSync(`${key}.away`, key);
    expect(await isAlive(world, (await tokensOf(world)).refreshToken)).toBe(true);
    expect(await statusOf(world)).toMatchObject({ state: "connected", pushes: { pending: 1, held: 0 } });
    await succeed(world, ["run", "retry"]);
    expect((await statusOf(world)).pushes).toMatchObject({ delivered: 1 });
  });

  test("needs no live token: one that was revoked is forgotten all the same", async () => {
    const world = await connected();
    await importResults(world, [invite()]);
    await world.portal.fault({ revoked: true });
    await world.run(["run", "retry"]);
    expect((await statusOf(world)).state).toBe("must_reconnect");
    await succeed(world, ["disconnect", "hubspot", "--yes"]);
    expect(await statusOf(world)).toMatchObject({
      state: "not_connected",
      banner: null,
      pushes: { held: 1 },
    });
    await succeed(world, ["connect", "hubspot"]);
    await succeed(world, ["run", "retry"]);
    expect((await statusOf(world)).pushes).toMatchObject({ held: 0, delivered: 1 });
  });
});
