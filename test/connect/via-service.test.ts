import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { hashOfLink } from "../../src/oauth/consent/consent-link.ts";
import { serving } from "../daemon/serving.ts";
import { launch, launchService, send } from "../end-to-end/program.ts";
import { fakeClock } from "../fake-clock.ts";
import { visit } from "../oauth/browser.ts";
import { CLIENT_SECRET, connected, freshWorld, importResults, invite, succeed, until } from "../world.ts";
import {
  answer,
  approve,
  confirm,
  cookieFor,
  exchangeUnderWay,
  expectConnected,
  expectWaiting,
  linkFor,
  open,
  press,
  publicAddress,
  publicWorld,
  publicWorldInTime,
  redirectUriIn,
  secretIn,
  wordsOf,
} from "./linked.ts";
import { codeIn, OTHER_PORTAL, PORTAL, SCOPES, statusOf, tokensOf, vaultOf } from "./world.ts";

const NOON = Date.UTC(2026, 10, 22, 12);

describe("connect --via-service", () => {
  test("prints the link alone on stdout and what happens next beside it, and ends with 0", async () => {
    const world = await publicWorld({ clock: fakeClock(NOON) });
    const { code, out, err } = await world.run(["connect", "hubspot", "--via-service"]);
    expect(code).toBe(0);
    expect(out).toMatch(/^http:\/\/localhost:\d+\/hubspot\/connect\?link=[\w-]{43}\n$/);
    const redirectUri = `${world.env.JC_SERVE_PUBLIC_URL}/hubspot/oauth-callback`;
    expect(redirectUriIn(out.trim())).toBe(redirectUri);
    expect(err.split("\n")).toEqual([
      "Hand this link to HubSpot's admin. It is good until 2026-11-29 12:00 UTC, for one connection:",
      "",
      "",
      `The app in HubSpot must allow this redirect URL: ${redirectUri}`,
      'jc-integrations status --org acme shows "waiting for consent" until then.',
      "The account that answers gets nothing before you run: jc-integrations connect hubspot --org acme --confirm",
      "No service is running: start jc-integrations serve before the admin answers.",
      "",
    ]);
    expect(world.visits).toEqual([]);
  });

  test("gives the same as JSON", async () => {
    const world = await publicWorld({ clock: fakeClock(NOON) });
    const { json, err } = await world.run(["connect", "hubspot", "--via-service", "--json"]);
    expect(json).toEqual({
      version: 1,
      url: expect.stringMatching(/^http\S+\/hubspot\/connect\?link=[\w-]{43}$/),
      expiresAt: "2026-11-29T12:00:00.000Z",
      redirectUri: `${world.env.JC_SERVE_PUBLIC_URL}/hubspot/oauth-callback`,
    });
    expect(err).toBe("");
  });

  test("is waited for in status, with the command that takes the answer", async () => {
    const world = await publicWorld({ clock: fakeClock(NOON) });
    await linkFor(world);
    const { code, out } = await world.run(["status"]);
    expect(code).toBe(0);
    expect(out).toContain("HubSpot  [Not connected]");
    expect(out).toContain("! HubSpot: waiting for consent, link valid until 2026-11-29 12:00 UTC\n");
    expect(out).toContain("the consent will be taken by: jc-integrations serve");
    expect((await world.run(["status", "--json"])).json).toMatchObject({
      connections: [{ state: "waiting_for_consent", linkExpiresAt: "2026-11-29T12:00:00.000Z" }],
    });
    expect(await statusOf(world, "--sandbox")).toMatchObject({ state: "not_connected" });
    expect(await statusOf(world, "--org", "globex")).toMatchObject({ state: "not_connected" });
  });

  test("says so when a service runs that takes the answer", async () => {
    const world = await publicWorld();
    await serving(world);
    const { err } = await world.run(["connect", "hubspot", "--via-service"]);
    expect(err).toContain("The service that runs takes the answer.");
    expect((await world.run(["status"])).out).not.toContain("jc-integrations serve");
  });

  test("needs no vault", async () => {
    const world = await freshWorld({ env: await publicAddress() });
    await linkFor(world);
    expect(existsSync(join(world.stateDir, "vault.db"))).toBe(false);
    await expectWaiting(world);
  });

  test.each([
    ["https://api.jobcannon.io", "https://api.jobcannon.io/hubspot/oauth-callback"],
    ["https://jobcannon.example/in/", "https://jobcannon.example/in/hubspot/oauth-callback"],
    ["http://localhost:8470", "http://localhost:8470/hubspot/oauth-callback"],
  ])("with the public URL %s leads back to %s", async (url, redirectUri) => {
    const world = await freshWorld({ env: { JC_SERVE_PUBLIC_URL: url } });
    expect(redirectUriIn(await linkFor(world))).toBe(redirectUri);
  });

  test.each(["http://api.jobcannon.io", "api.jobcannon.io"])(
    "with the public URL %s is refused, and leaves nothing",
    async (url) => {
      const world = await freshWorld({ env: { JC_SERVE_PUBLIC_URL: url } });
      const { code, out, err } = await world.run(["connect", "hubspot", "--via-service", "--json"]);
      expect({ code, out }).toEqual({ code: 2, out: "" });
      expect(JSON.parse(err).error).toMatchObject({
        code: "CONFIG_INVALID",
        message: "serve.public_url is no https URL (JC_SERVE_PUBLIC_URL)",
      });
      expect(existsSync(join(world.stateDir, "log.db"))).toBe(false);
    },
  );

  test("without a client id, or for no vendor, is refused", async () => {
    const world = await publicWorld();
    const noVendor = await world.run(["connect", "hubspt", "--via-service"]);
    expect(noVendor).toMatchObject({ code: 2, err: expect.stringContaining("Did you mean hubspot?") });
    const config = readFileSync(world.configFile, "utf8");
    writeFileSync(world.configFile, config.replace('client_id = "app-1"', ""));
    const noClient = await world.run(["connect", "hubspot", "--via-service"]);
    expect(noClient).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringContaining("hubspot.client_id is not set"),
    });
    expect(await statusOf(world)).toMatchObject({ state: "not_connected" });
  });
});

describe("an answered link", () => {
  test("connects, also when the service was restarted since, prepares the account, and results go out", async () => {
    const world = await publicWorld();
    const first = await launchService(world);
    const link = await linkFor(world);
    first.child.kill("SIGTERM");
    expect(await first.ended).toMatchObject({ code: 0 });
    const service = await launchService(world);
    const page = await answer(link);
    expect(page.status).toBe(200);
    expect(wordsOf(page)).toContain(
      "HubSpot is connected JobCannon's assessment results for acme go to portal-8480001.emulator.example (8480001) once JobCannon has confirmed that this is the right account.",
    );
    await expectConnected(world);
    await until("the journal tells", () => service.err().includes("results wait for an operator"));
    expect(await world.portal.properties()).toHaveLength(0);
    await confirm(world);
    expect(await world.portal.properties()).toHaveLength(17);
    await until("the journal tells", () =>
      service.err().includes("connected  connection=acme/hubspot/production  account=8480001"),
    );
    expect(await send(service.url, invite({ email: "ann@example.com" }))).toMatchObject({ status: 202 });
    await until("the result arrives", async () => "ann@example.com" in (await world.portal.contacts()));
    expect((await world.run(["status"])).out).not.toContain("link");
  });

  test("is finished by the service that starts later, when its admin reloads the page", async () => {
    const world = await publicWorld();
    const first = await launchService(world);
    const redirect = await approve(await linkFor(world));
    first.child.kill("SIGTERM");
    await first.ended;
    await expect(open(redirect)).rejects.toThrow("ECONNREFUSED");
    await serving(world);
    expect(await open(redirect)).toMatchObject({ status: 200 });
    await expectConnected(world);
  });

  test("connects the sandbox, with its own secret, and leaves production as it is", async () => {
    const world = await publicWorld();
    await succeed(world, ["secrets", "set", "hubspot.client-secret", "--sandbox"], "another secret");
    await serving(world);
    const page = await answer(await linkFor(world, "--sandbox"));
    expect(page.status).toBe(200);
    expect(wordsOf(page)).toContain("is connected as the sandbox of acme; results go to production only.");
    await expectConnected(world, "--sandbox");
    expect(await statusOf(world)).toMatchObject({ state: "not_connected" });
    expect((await tokensOf(world, "sandbox")).accessToken).not.toBe("");
  });

  test("works without PKCE where that is turned off", async () => {
    const world = await publicWorld({ env: { JC_HUBSPOT_PKCE: "false" } });
    await serving(world);
    const link = await linkFor(world);
    expect((await press(link)).url).not.toContain("code_challenge");
    expect(await answer(link)).toMatchObject({ status: 200 });
  });

  test("releases what was held since the connection was lost", async () => {
    const world = await connected({ env: await publicAddress() });
    await importResults(world, [invite()]);
    await world.portal.fault({ revoked: true });
    await world.run(["run", "retry"]);
    const link = await linkFor(world);
    const lost = await world.run(["status"]);
    expect(lost.code).toBe(4);
    expect(lost.out).toContain("must reconnect: HubSpot no longer accepts our tokens");
    expect(lost.out).toMatch(/HubSpot: a link for consent is open until \d{4}-/);
    await serving(world);
    expect(await answer(link)).toMatchObject({ status: 200 });
    await until("the result arrives", async () => Object.keys(await world.portal.contacts()).length === 1);
    expect(await statusOf(world)).toMatchObject({ state: "connected", banner: null, pushes: { held: 0 } });
  });

  test("until then leaves a connection that works as it is", async () => {
    const world = await connected({ env: await publicAddress() });
    const { err } = await world.run(["connect", "hubspot", "--via-service"]);
    expect(err).toContain("all stays as it is: connected to portal-8480001.emulator.example (8480001).");
    expect(err).toContain("shows until when the link is open.");
    expect(await statusOf(world)).toMatchObject({ state: "connected", banner: null });
    expect((await world.run(["status"])).out).toContain("a link for consent is open until");
    await importResults(world, [invite()]);
    await succeed(world, ["run", "retry"]);
    expect((await statusOf(world)).pushes).toMatchObject({ delivered: 1 });
  });

  test("names the scopes that were not granted, on the page and in status", async () => {
    const world = await publicWorld();
    await world.portal.settings({ grantedScopes: SCOPES.slice(0, 4) });
    await serving(world);
    const page = await answer(await linkFor(world));
    expect(page.status).toBe(200);
    expect(wordsOf(page)).toContain("Not granted: crm.schemas.contacts.write.");
    expect((await statusOf(world)).missingScopes).toEqual(["crm.schemas.contacts.write"]);
  });

  test("stands though its portal could not be prepared; status says what to type, which mends it", async () => {
    const world = await publicWorld();
    await world.portal.fault({ status: 400, path: "/crm/v3/properties" });
    const { running } = await serving(world);
    expect(await answer(await linkFor(world, "--account", String(PORTAL)))).toMatchObject({ status: 200 });
    await until("that is noted", () => running.err().includes("properties not ready"));
    expect(await statusOf(world)).toMatchObject({
      state: "connected",
      banner: expect.stringMatching(
        /the properties are not ready: .+\. Run: jc-integrations resync-properties --org acme$/,
      ),
    });
    await world.portal.clearFaults();
    await succeed(world, ["resync-properties"]);
    expect(await statusOf(world)).toMatchObject({ state: "connected", banner: null });
  });

  test("counts though its admin closes the browser before the page comes", async () => {
    const { world, clock } = await publicWorldInTime();
    await serving(world);
    const redirect = await approve(await linkFor(world));
    await world.portal.fault({ delayMs: 5_000, path: "/oauth/v3/token", times: 1 });
    const browser = request(redirect, { agent: false, headers: cookieFor(redirect) });
    browser.on("error", () => {}).end();
    await exchangeUnderWay(world);
    browser.destroy();
    await clock.advance(5_000);
    await until("it is connected", async () => (await statusOf(world)).state === "connected");
  });

  test("that HubSpot takes long to confirm is told so, and counts", async () => {
    const { world, clock } = await publicWorldInTime();
    await serving(world);
    const redirect = await approve(await linkFor(world));
    await world.portal.fault({ delayMs: 25_000, path: "/oauth/v3/token", times: 1 });
    const page = open(redirect);
    await exchangeUnderWay(world);
    await clock.advance(20_000);
    expect(await page).toMatchObject({ status: 202, body: expect.stringContaining("Almost there") });
    await clock.advance(5_000);
    await until("it is connected", async () => (await statusOf(world)).state === "connected");
  });

  test("is brought to its end by a service that is told to stop meanwhile", async () => {
    const { world, clock } = await publicWorldInTime();
    const { running } = await serving(world);
    const link = await linkFor(world, "--account", String(PORTAL));
    await world.portal.fault({ delayMs: 5_000, path: "/oauth/v3/token", times: 1 });
    const page = approve(link).then((redirect) => visit(redirect, { headers: cookieFor(redirect) }));
    await exchangeUnderWay(world);
    const stopped = running.stop();
    await clock.advance(5_000);
    expect(await page).toMatchObject({ status: 303 });
    expect(await stopped).toMatchObject({ code: 0 });
    await expectConnected(world);
    expect(await world.portal.properties()).toHaveLength(17);
  });

  test("is free again when the service stops before HubSpot answers", async () => {
    const world = await publicWorld();
    const service = await launchService(world);
    const link = await linkFor(world);
    await world.portal.fault({ delayMs: 60_000, path: "/oauth/v3/token", times: 1 });
    const cut = answer(link).catch((error: unknown) => error);
    await exchangeUnderWay(world);
    service.child.kill("SIGTERM");
    expect(await service.ended).toMatchObject({ code: 0 });
    expect(service.err()).toContain('reason="the service stops"');
    await cut;
    await expectWaiting(world);
    await launchService(world);
    expect(await answer(link)).toMatchObject({ status: 200 });
  });

  test("that is cut off while its portal is prepared stands, and status says what to type", async () => {
    const world = await publicWorld();
    const service = await launchService(world);
    const link = await linkFor(world, "--account", String(PORTAL));
    await world.portal.fault({ delayMs: 60_000, path: "/crm/v3/properties", times: 1 });
    expect(await answer(link)).toMatchObject({ status: 200 });
    await until("the portal is asked", async () =>
      (await world.portal.requests()).some(({ path }) => path.startsWith("/crm/v3/properties")),
    );
    service.child.kill("SIGTERM");
    expect(await service.ended).toMatchObject({ code: 0 });
    expect(await statusOf(world)).toMatchObject({
      state: "connected",
      banner: expect.stringContaining("the properties are not ready: it was cut off. Run: jc-integrations"),
    });
    await succeed(world, ["resync-properties"]);
    expect(await statusOf(world)).toMatchObject({ banner: null });
  });

  test("is free again when the service that took it was killed", async () => {
    const world = await publicWorld();
    const link = await linkFor(world);
    const killed = await launchService(world);
    await world.portal.fault({ delayMs: 60_000, path: "/oauth/v3/token", times: 1 });
    const cut = answer(link).catch((error: unknown) => error);
    await exchangeUnderWay(world);
    killed.child.kill("SIGKILL");
    expect(await cut).toBeInstanceOf(Error);
    await killed.ended;
    await expectWaiting(world);
    await launchService(world);
    expect(await answer(link)).toMatchObject({ status: 200 });
    await expectConnected(world);
  });

  test("may move to another account only when the link was made with --yes", async () => {
    const world = await connected({ env: await publicAddress() });
    const { running } = await serving(world);
    await importResults(world, [invite()]);
    await until("the result arrives", async () => (await statusOf(world)).pushes.delivered === 1);
    const before = await tokensOf(world);
    await world.portal.settings({ portalId: OTHER_PORTAL });
    const refused = await answer(await linkFor(world));
    expect(refused.status).toBe(409);
    expect(wordsOf(refused)).toContain(
      `You gave consent for account ${OTHER_PORTAL}, but results are to go to account 8480001. Nothing was changed.`,
    );
    expect(running.err()).toContain(`a link made with --account ${OTHER_PORTAL} allows it`);
    expect(await tokensOf(world)).toEqual(before);
    expect((await statusOf(world)).account).toContain("8480001");

    expect(await answer(await linkFor(world, "--yes"))).toMatchObject({ status: 200 });
    expect(await statusOf(world)).toMatchObject({
      account: expect.stringContaining(String(OTHER_PORTAL)),
      banner: expect.stringContaining("came by a link and waits for you"),
      pushes: { delivered: 0 },
    });
  });
});

describe("of a link", () => {
  test("its secret is not in the log's bytes, nor what follows from it", async () => {
    const world = await publicWorld();
    await serving(world);
    const link = await linkFor(world);
    const { url, cookie } = await press(link);
    const state = new URL(url).searchParams.get("state") ?? "";
    const bytes = Buffer.concat(
      ["log.db", "log.db-wal"].map((name) => readFileSync(join(world.stateDir, name))),
    );
    expect(bytes.includes(hashOfLink(secretIn(link)))).toBe(true);
    for (const secret of [secretIn(link), state, cookie.split(".")[1] ?? "none"])
      for (const encoding of ["utf8", "base64url"] as const)
        expect(bytes.includes(Buffer.from(secret, encoding))).toBe(false);
  });

  test("an altered row opens for nobody: not for another org, nor with another redirect URI", async () => {
    const world = await publicWorld();
    const { running } = await serving(world);
    for (const change of [
      "org = 'globex'",
      "redirect_uri = 'http://localhost:1/hubspot/oauth-callback'",
      "account_id = '8480001'",
      "allows_other_account = 1",
    ]) {
      const link = await linkFor(world);
      const redirect = await approve(link);
      const db = new Database(join(world.stateDir, "log.db"));
      db.exec(`UPDATE consents SET ${change} WHERE outcome IS NULL`);
      expect(await visit(link, { method: "POST", headers: { origin: new URL(link).origin } })).toMatchObject({
        status: 500,
      });
      expect(await open(redirect)).toMatchObject({ status: 500 });
      db.exec("DELETE FROM consents");
      db.close();
    }
    expect(running.err()).toContain("was altered in the log");
    for (const org of ["acme", "globex"])
      expect(await statusOf(world, "--org", org)).toMatchObject({ state: "not_connected" });
  });

  test("nothing secret is in what the service says, whatever becomes of it", async () => {
    const world = await publicWorld();
    const service = launch(world, ["serve", "--verbose"]);
    await until("serve listens", () => service.err().includes("listening"));
    const said: string[] = [];
    const answered = async (link: string) => {
      const redirect = await approve(link);
      said.push(secretIn(link), codeIn(redirect), new URL(redirect).searchParams.get("state") ?? "");
      return await open(redirect);
    };
    await world.portal.fault({
      status: 400,
      path: "/oauth/v3/token",
      times: 1,
      body: { error: "invalid_client", error_description: `not ${CLIENT_SECRET}` },
    });
    expect(await answered(await linkFor(world))).toMatchObject({ status: 500 });
    const link = await linkFor(world, "--account", String(PORTAL));
    const second = await approve(link);
    expect(await answered(link)).toMatchObject({ status: 200 });
    expect(await open(second)).toMatchObject({ status: 409 });
    await until("all is said", () => service.err().includes("properties ready"));
    expect(said.every((secret) => secret.length > 20)).toBe(true);
    const secrets = [
      ...said,
      ...Object.values(await tokensOf(world)),
      ...Object.values(await vaultOf(world)),
    ];
    for (const secret of secrets) expect(service.err()).not.toContain(secret);
    expect(service.err()).toContain("its link was used already");
  });
});

describe("webhooks", () => {
  test("are taken while consents hang and strangers knock", async () => {
    const { world, clock } = await publicWorldInTime();
    const { post } = await serving(world);
    const link = await linkFor(world);
    const redirect = await approve(link);
    await world.portal.fault({ delayMs: 10_000, path: "/oauth/v3/token", times: 1 });
    const hanging = open(redirect);
    await exchangeUnderWay(world);
    const strangers = Array.from({ length: 200 }, (_, n) =>
      open(`${redirectUriIn(link)}?code=x&state=${String(n).padStart(43, "a")}`),
    );
    const lookers = Array.from({ length: 200 }, () => visit(link));
    const taken = await Promise.all(Array.from({ length: 50 }, () => post(invite())));
    expect(taken.map(({ status }) => status)).toEqual(Array(50).fill(202));
    const statuses = (await Promise.all(strangers)).map(({ status }) => status);
    expect(statuses.filter((status) => status !== 400 && status !== 503)).toEqual([]);
    const looked = (await Promise.all(lookers)).map(({ status }) => status);
    expect(looked.filter((status) => status !== 409 && status !== 503)).toEqual([]);
    expect(looked).toContain(503);
    await clock.advance(10_000);
    expect(await hanging).toMatchObject({ status: 200 });
  });
});
