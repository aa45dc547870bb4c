/** What a stranger, another org, a mail scanner and a forwarded link may try: each ends with nothing shared. */
import { describe, expect, test } from "vitest";
import { serving } from "../daemon/serving.ts";
import { launchService } from "../end-to-end/program.ts";
import { fakeClock } from "../fake-clock.ts";
import { visit } from "../oauth/browser.ts";
import { connect, connected, importResults, invite, prepared, succeed, until, type World } from "../world.ts";
import {
  answer,
  approve,
  confirm,
  cookieFor,
  expectConnected,
  expectWaiting,
  linkFor,
  open,
  press,
  publicAddress,
  publicWorld,
  redirectUriIn,
  secretIn,
  wordsOf,
} from "./linked.ts";
import { expectNoConnection, OTHER_PORTAL, PORTAL, runProgram, statusOf, tokensOf } from "./world.ts";

async function heldFor(world: World): Promise<string[]> {
  const { json } = await world.run(["invites", "show", "inv_1", "--json"]);
  return (json as { pushes: { heldCause: string }[] }).pushes.map(({ heldCause }) => heldCause);
}

describe("one account belongs to one org", () => {
  test("a second org's connect is refused with 2 in the built program, until the first is disconnected", async () => {
    const world = await connected();
    const before = await tokensOf(world);
    const refused = await world.run(["connect", "hubspot", "--org", "globex"]);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain(`account ${PORTAL} of hubspot belongs to acme`);
    expect(refused.err).toContain("jc-integrations disconnect hubspot --org acme");
    expect(await statusOf(world, "--org", "globex")).toMatchObject({ state: "not_connected", account: null });
    expect(await tokensOf(world)).toEqual(before);
    await succeed(world, ["disconnect", "hubspot", "--yes"]);
    await succeed(world, ["connect", "hubspot", "--org", "globex"]);
    await expectConnected(world, "--org", "globex");
  });

  test("nor by its sandbox, nor by a link: the page says so and names nobody", async () => {
    const world = await connected({ env: await publicAddress() });
    const { running } = await serving(world);
    await succeed(world, ["secrets", "set", "hubspot.client-secret", "--sandbox"], "another secret");
    expect((await world.run(["connect", "hubspot", "--org", "globex", "--sandbox"])).code).toBe(2);
    const page = await answer(await linkFor(world, "--org", "globex"));
    expect(page.status).toBe(409);
    expect(wordsOf(page)).toContain("connected to JobCannon for another organisation already");
    expect(wordsOf(page)).not.toContain("acme");
    expect(running.err()).toContain("belongs to acme");
    expect(await statusOf(world, "--org", "globex")).toMatchObject({
      state: "waiting_for_consent",
      account: null,
    });
    await expectConnected(world);
  });

  test("of two orgs whose links are answered at once with one portal, one is connected", async () => {
    const world = await publicWorld();
    await serving(world);
    const redirects = [
      await approve(await linkFor(world)),
      await approve(await linkFor(world, "--org", "globex")),
    ];
    const pages = await Promise.all(redirects.map((redirect) => open(redirect)));
    expect(pages.map(({ status }) => status).sort()).toEqual([200, 409]);
    const states = [await statusOf(world), await statusOf(world, "--org", "globex")];
    expect(states.map(({ state }) => state).sort()).toEqual(["connected", "waiting_for_consent"]);
  });

  test("two that an older version let in are kept, with a banner each, and one of them may come back", async () => {
    const world = await connected();
    await world.portal.settings({ portalId: OTHER_PORTAL });
    await succeed(world, ["connect", "hubspot", "--org", "globex"]);
    const Database = (await import("better-sqlite3")).default;
    const log = new Database(`${world.stateDir}/log.db`);
    log.exec(`UPDATE connections SET account_id = '${PORTAL}',
      details = json_set(details, '$.account.id', '${PORTAL}') WHERE org = 'globex'`);
    log.close();
    await world.portal.settings({ portalId: PORTAL });
    for (const [org, other] of [
      ["acme", "globex"],
      ["globex", "acme"],
    ] as const) {
      const { state, banner } = await statusOf(world, "--org", org);
      expect(state).toBe("connected");
      expect(banner).toContain(`account ${PORTAL} is connected for ${other} too`);
      expect(banner).toContain(`jc-integrations disconnect hubspot --org ${other}`);
      await succeed(world, ["connect", "hubspot", "--org", org]);
    }
    await succeed(world, ["disconnect", "hubspot", "--org", "globex", "--yes"]);
    expect(await statusOf(world)).toMatchObject({ banner: null });
  });
});

describe("a forwarded link that a stranger answers with a portal of his own", () => {
  test("gets him nothing: no property, no contact, until an operator confirms the account", async () => {
    const world = await publicWorld();
    const service = await launchService(world);
    await importResults(world, [invite({ invitation_id: "inv_1" })]);
    await world.portal.settings({ portalId: OTHER_PORTAL });
    expect(await answer(await linkFor(world))).toMatchObject({ status: 200 });
    await importResults(world, [invite({ invitation_id: "inv_1" })]);
    await succeed(world, ["backfill", "--yes", "--detach"]);
    const shown = await world.run(["status"]);
    expect(shown.out).toContain("[Connected]");
    expect(shown.out).toContain(
      `(${OTHER_PORTAL}) came by a link and waits for you, as do its results. If it is the right one: jc-integrations connect hubspot --org acme --confirm`,
    );
    expect(await heldFor(world)).toEqual(["confirm"]);
    expect(await world.portal.properties()).toHaveLength(0);
    expect(await world.portal.contacts()).toEqual({});
    for (const argv of [["resync-properties"], ["resync-properties", "--dry-run"]])
      expect(await world.run(argv)).toMatchObject({ code: 2, err: expect.stringContaining("--confirm") });
    const retried = await world.run(["run", "retry"]);
    expect(retried).toMatchObject({ code: 7, err: expect.stringContaining("--confirm") });

    await succeed(world, ["disconnect", "hubspot", "--yes"]);
    await world.portal.settings({ portalId: PORTAL });
    expect(await answer(await linkFor(world, "--yes"))).toMatchObject({ status: 200 });
    expect(await heldFor(world)).toEqual(["confirm"]);
    const confirmed = await runProgram(world, ["connect", "hubspot", "--confirm"]);
    expect(confirmed).toMatchObject({ code: 0, out: expect.stringContaining("17 created") });
    expect(confirmed.out).toContain("1 go out now");
    await until("the result arrives", async () => Object.keys(await world.portal.contacts()).length === 1);
    const contacts = await world.portal.wholeContacts();
    expect(contacts.map(({ portalId }) => portalId)).toEqual([PORTAL]);
    expect(await statusOf(world)).toMatchObject({ banner: null, pushes: { held: 0 } });
    service.child.kill("SIGTERM");
    expect(await service.ended).toMatchObject({ code: 0 });
  });

  test("is refused where the operator named the account beforehand, whose own consent needs no more", async () => {
    const world = await publicWorld();
    await serving(world);
    const link = await linkFor(world, "--account", String(PORTAL));
    expect(wordsOf(await visit(link))).toContain(`Choose account ${PORTAL}`);
    await world.portal.settings({ portalId: OTHER_PORTAL });
    const refused = await answer(link);
    expect(refused.status).toBe(409);
    expect(wordsOf(refused)).toContain(`results are to go to account ${PORTAL}`);
    await expectWaiting(world);
    await world.portal.settings({ portalId: PORTAL });
    expect(wordsOf(await answer(link))).toContain("from now on");
    expect(await statusOf(world)).toMatchObject({ state: "connected", banner: null });
    await until("the portal is prepared", async () => (await world.portal.properties()).length === 17);
  });

  test("takes nothing that was on its way to the account of before, though the link allows another", async () => {
    const world = await connected({ env: await publicAddress() });
    await serving(world);
    await world.portal.settings({ portalId: OTHER_PORTAL });
    expect(await answer(await linkFor(world, "--yes"))).toMatchObject({ status: 200 });
    await importResults(world, [invite({ invitation_id: "inv_1" })]);
    expect(await heldFor(world)).toEqual(["confirm"]);
    expect(await world.portal.contacts()).toEqual({});
    await succeed(world, ["connect", "hubspot"]);
    await until("the operator's own consent confirms", async () => (await heldFor(world))[0] === null);
  });
});

describe("an operator's word", () => {
  test("is not needed when the same account consents again", async () => {
    const world = await connected({ env: await publicAddress() });
    await serving(world);
    expect(await answer(await linkFor(world))).toMatchObject({ status: 200 });
    expect(await statusOf(world)).toMatchObject({ state: "connected", banner: null });
  });

  test("is still needed when an account that nobody confirmed consents again", async () => {
    const world = await publicWorld();
    await serving(world);
    await answer(await linkFor(world));
    await answer(await linkFor(world));
    expect((await statusOf(world)).banner).toContain("waits for you");
  });

  test("about nothing, or about another account, is refused with 2; said twice it changes nothing", async () => {
    const world = await publicWorld();
    await serving(world);
    const none = await world.run(["connect", "hubspot", "--confirm"]);
    expect(none).toMatchObject({ code: 2, err: expect.stringContaining("no account of HubSpot waits") });
    await answer(await linkFor(world));
    const other = await world.run(["connect", "hubspot", "--confirm", "--account", String(OTHER_PORTAL)]);
    expect(other).toMatchObject({
      code: 2,
      err: expect.stringContaining(`account ${PORTAL} came by the link`),
    });
    expect((await statusOf(world)).banner).toContain("waits for you");
    await confirm(world, "--account", String(PORTAL));
    expect((await succeed(world, ["connect", "hubspot", "--confirm"])).out).toContain("Nothing waits");
    const both = await world.run(["connect", "hubspot", "--confirm", "--via-service"]);
    expect(both.code).toBe(2);
  });

  test("of a loopback connect that names an account refuses another one", async () => {
    const world = await prepared();
    const { code, err } = await world.run(["connect", "hubspot", "--account", String(OTHER_PORTAL)]);
    expect(code).toBe(2);
    expect(err).toContain(`consent came from account ${PORTAL}, not ${OTHER_PORTAL}`);
    await expectNoConnection(world);
    await connect(world);
    await expectConnected(world);
  });
});

describe("a link that is forced onto an admin", () => {
  test("as the vendor's address, state and all: the admin's consent counts for nobody", async () => {
    const world = await publicWorld();
    const { running } = await serving(world);
    const redirect = await approve(await linkFor(world));
    const inAdminsBrowser = await visit(redirect);
    expect(inAdminsBrowser).toMatchObject({ status: 303, headers: { location: "connect" } });
    const shown = await visit(new URL("connect", redirect).href);
    expect(shown.status).toBe(400);
    expect(wordsOf(shown)).toContain("someone else sent you here");
    // Nor with a cookie of another link, or two of them.
    const { cookie } = await press(await linkFor(world, "--org", "globex"));
    const own = cookieFor(redirect).cookie ?? "";
    for (const forced of [cookie, `${own}; ${cookie}`, `${own}x`, own.replace(/^jc-/, "__Host-jc-")]) {
      await visit(redirect, { headers: { cookie: forced } });
      await expectWaiting(world);
    }
    expect(running.err()).toContain("no link was opened in the browser that brought it");
    expect((await world.portal.requests()).some(({ path }) => path.startsWith("/oauth/v3/token"))).toBe(
      false,
    );
    expect(await open(redirect)).toMatchObject({ status: 200 });
  });

  test("as another site's button: 403, and no cookie", async () => {
    const world = await publicWorld();
    await serving(world);
    const link = await linkFor(world);
    const { origin } = new URL(link);
    for (const headers of [
      { origin: "https://evil.example" },
      { origin: "null" },
      { origin, "sec-fetch-site": "cross-site" },
      { origin, "sec-fetch-site": "same-site" },
      {},
    ]) {
      const page = await visit(link, { method: "POST", headers });
      expect(page.status).toBe(403);
      expect(page.headers["set-cookie"]).toBeUndefined();
    }
    expect((await visit(link)).headers["content-security-policy"]).toContain("frame-ancestors 'none'");
    await press(link);
  });
});

describe("a link's page", () => {
  test("names JobCannon, the org and what is shared; who only looks, as a mail scanner, changes nothing", async () => {
    const world = await publicWorld({ clock: fakeClock(Date.UTC(2026, 10, 22, 12)) });
    const { running } = await serving(world);
    const link = await linkFor(world);
    for (const method of ["GET", "HEAD", "GET"]) {
      const page = await visit(link, { method });
      expect(page.status).toBe(200);
      expect(page.headers["set-cookie"]).toBeUndefined();
      expect(page.headers.location).toBeUndefined();
      expect(page.body === "").toBe(method === "HEAD");
    }
    const words = wordsOf(await visit(link));
    expect(words).toContain("Connect HubSpot to JobCannon for acme?");
    expect(words).toContain("What is shared: the assessment results of acme's candidates");
    expect(words).toContain("crm.objects.contacts.write");
    expect(running.err()).not.toMatch(/consent|link/);
    expect(await world.portal.requests()).toEqual([]);
    await expectWaiting(world);
    expect(await visit(link, { method: "PUT" })).toMatchObject({
      status: 405,
      headers: { allow: "GET, HEAD, POST" },
    });
    expect(await visit(redirectUriIn(link), { method: "HEAD" })).toMatchObject({ status: 405 });
    const { url, cookie } = await press(link);
    expect(new URL(url).searchParams.get("code_challenge_method")).toBe("S256");
    expect(url).not.toContain(secretIn(link));
    expect(cookie).toMatch(/^jc-consent=[\w.-]{87}$/);
  });

  test("behind https gives a cookie that only this host can set", async () => {
    const env = { ...(await publicAddress()), JC_SERVE_PUBLIC_URL: "https://api.jobcannon.example/in" };
    const world = await publicWorld({ env });
    const { url } = await serving(world);
    const link = new URL(await linkFor(world));
    expect(link.href).toMatch(/^https:\/\/api\.jobcannon\.example\/in\/hubspot\/connect\?link=/);
    const pressed = await visit(`${url}/hubspot/connect${link.search}`, {
      method: "POST",
      headers: { origin: link.origin, "sec-fetch-site": "same-origin" },
    });
    expect(pressed.status).toBe(303);
    expect(pressed.headers["set-cookie"]).toEqual([
      expect.stringMatching(
        /^__Host-jc-consent=[\w.-]{87}; Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax; Secure$/,
      ),
    ]);
    // A plain cookie, which a neighbour under the same domain could have set, is not read.
    const { location } = pressed.headers;
    const state = new URL(String(location)).searchParams.get("state");
    const [kept = ""] = String(pressed.headers["set-cookie"]).split(";");
    const callback = `${url}/hubspot/oauth-callback?state=${state}&error=access_denied`;
    const page = async (cookie: string) => {
      await visit(callback, { headers: { cookie } });
      return (await visit(`${url}/hubspot/connect`, { headers: { cookie } })).status;
    };
    expect(await page(kept.replace("__Host-", ""))).toBe(400);
    expect(await page(kept)).toBe(403);
  });

  test("of how it ended is the same when it is loaded again, and says less after a restart", async () => {
    const world = await publicWorld();
    const first = await launchService(world);
    const redirect = await approve(await linkFor(world));
    const headers = cookieFor(redirect);
    const end = new URL("connect", redirect).href;
    expect(await visit(end, { headers })).toMatchObject({ status: 400 });
    expect(await open(redirect)).toMatchObject({ status: 200 });
    expect(await visit(end, { headers })).toMatchObject({ status: 200 });
    first.child.kill("SIGTERM");
    await first.ended;
    await launchService(world);
    const after = await visit(end, { headers });
    expect(after.status).toBe(409);
    expect(wordsOf(after)).toContain("This link was used already");
  });
});
