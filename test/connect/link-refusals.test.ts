/** Each way in which an answer to a link is not taken: what its sender reads, and that nothing changed. */
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { serving } from "../daemon/serving.ts";
import { launchService } from "../end-to-end/program.ts";
import type { FakeClock } from "../fake-clock.ts";
import { visit } from "../oauth/browser.ts";
import { connected, succeed, until, type World } from "../world.ts";
import {
  answer,
  approve,
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
import { expectNoConnection, linkIn, statusOf, tokensOf, vaultOf } from "./world.ts";

const DAY = 24 * 3_600_000;

async function exchanges(world: World): Promise<number> {
  return (await world.portal.requests()).filter(({ path }) => path === "/oauth/v3/token").length;
}

/** A service that waits for the answer to a link. */
async function waiting(): Promise<{ world: World; clock: FakeClock; link: string; log: () => string }> {
  const { world, clock } = await publicWorldInTime();
  const { running } = await serving(world);
  return { world, clock, link: await linkFor(world), log: () => running.err() };
}

describe("an answer is refused", () => {
  test("after seven days: 410, and status no longer waits", async () => {
    const { world, clock, link, log } = await waiting();
    const redirect = await approve(link);
    clock.jump(clock.now() + 7 * DAY - 1);
    await expectWaiting(world);
    clock.jump(clock.now() + 1);
    const page = await open(redirect);
    expect(page.status).toBe(410);
    expect(wordsOf(page)).toContain("This link has expired Nothing was changed. Links are good for 7 days");
    expect(await statusOf(world)).toMatchObject({ state: "not_connected", banner: null });
    await expectNoConnection(world);
    expect(log()).toContain("its link has expired");
    expect(await exchanges(world)).toBe(0);
  });

  test("to a link that brought its connection: 409", async () => {
    const { world, link, log } = await waiting();
    const another = await approve(link);
    expect(await answer(link)).toMatchObject({ status: 200 });
    const tokens = await tokensOf(world);
    expect(await answer(link)).toMatchObject({ status: 409 });
    const page = await open(another);
    expect(page.status).toBe(409);
    expect(wordsOf(page)).toContain("This link was used already");
    expect(await tokensOf(world)).toEqual(tokens);
    expect(await exchanges(world)).toBe(1);
    expect(log()).toContain("its link was used already");
  });

  test("that comes a second time while the first is being redeemed: 409, and the first counts", async () => {
    const { world, clock, link, log } = await waiting();
    await world.portal.fault({ delayMs: 5_000, path: "/oauth/v3/token", times: 1 });
    const redirect = await approve(link);
    const first = open(redirect);
    await exchangeUnderWay(world);
    const second = await open(redirect);
    expect(second.status).toBe(409);
    expect(wordsOf(second)).toContain("being confirmed at this moment");
    await clock.advance(5_000);
    expect(await first).toMatchObject({ status: 200 });
    expect(await exchanges(world)).toBe(1);
    expect(log()).toContain("its link is being redeemed");
  });

  test("that comes twice to two services at once: one is redeemed", async () => {
    const world = await publicWorld();
    const [one, other] = [await launchService(world), await serving(withoutAddress(world))];
    const redirect = await approve(await linkFor(world));
    const { search, pathname } = new URL(redirect);
    const pages = await Promise.all([one.url, other.url].map((url) => open(url + pathname + search)));
    const statuses = pages.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, 409]);
    expect(await exchanges(world)).toBe(1);
  });

  test.each([
    ["of a stranger", "x".repeat(43)],
    ["that is cut", "x".repeat(42)],
    ["that is none", ""],
  ])("with a state %s: 400, whatever else it carries", async (_what, state) => {
    const { world, link, log } = await waiting();
    for (const rest of ["code=abc", "error=access_denied", ""]) {
      const page = await open(`${redirectUriIn(link)}?state=${state}&${rest}`);
      expect(page.status).toBe(400);
      expect(wordsOf(page)).toContain("This is not a consent we asked for");
    }
    await expectWaiting(world);
    expect(await exchanges(world)).toBe(0);
    expect(log()).toContain("no link was opened in the browser that brought it");
    expect(await answer(link)).toMatchObject({ status: 200 });
  });

  test("on another vendor's path: 400", async () => {
    const { world, link } = await waiting();
    const redirect = (await approve(link)).replace("/hubspot/", "/smartrecruiters/");
    expect(await open(redirect)).toMatchObject({ status: 400 });
    await expectWaiting(world);
  });

  test.each<[what: string, act: (world: World) => Promise<unknown>]>([
    ["a newer link", (world) => linkFor(world)],
    ["a disconnect", (world) => succeed(world, ["disconnect", "hubspot", "--yes"])],
  ])("to a link that %s made void: 410", async (_what, act) => {
    const { world, link, log } = await waiting();
    const redirect = await approve(link);
    await act(world);
    expect(await answer(link)).toMatchObject({ status: 410 });
    const page = await open(redirect);
    expect(page.status).toBe(410);
    expect(wordsOf(page)).toContain("This link no longer counts");
    expect(log()).toContain("its link is void");
    expect(await exchanges(world)).toBe(0);
  });

  test("to a link that a connect at the terminal took the place of: 410", async () => {
    const { world, link } = await waiting();
    await succeed(world, ["connect", "hubspot"]);
    expect((await world.run(["status"])).out).not.toContain("link");
    expect(await answer(link)).toMatchObject({ status: 410 });
    await expectConnected(world);
  });

  test("when a disconnect comes while it is redeemed: 410, and nothing is connected", async () => {
    const { world, clock, link } = await waiting();
    await world.portal.fault({ delayMs: 5_000, path: "/oauth/v3/token", times: 1 });
    const page = answer(link);
    await exchangeUnderWay(world);
    const { out } = await succeed(world, ["disconnect", "hubspot", "--yes"]);
    expect(out).toContain("The link for consent that was open no longer counts.");
    await clock.advance(5_000);
    expect(await page).toMatchObject({ status: 410 });
    await expectNoConnection(world);
  });

  test("that denies: 403, and the link may be opened again", async () => {
    const world = await publicWorld({ autoApprove: false });
    const { running } = await serving(world);
    const link = await linkFor(world);
    const denied = await decide(link, "deny");
    expect(denied.status).toBe(403);
    expect(wordsOf(denied)).toContain(
      "HubSpot was not connected Consent was denied in HubSpot. Nothing was changed. Open the link you were given again",
    );
    expect(running.err()).toMatch(
      /consent refused {2}connection=acme\/hubspot\/production {2}reason="Consent was denied/,
    );
    await expectWaiting(world);
    const told = await statusOf(world);
    expect(told.banner).toMatch(
      /waiting for consent.*The last answer, at .*, was refused: Consent was denied/,
    );
    expect(await decide(link, "approve")).toMatchObject({ status: 200 });
    await expectConnected(world);
  });

  test.each([
    ["is out of order", { status: 503 }, 503, "answered 503"],
    ["is out of reach", { drop: true }, 503, "did not answer"],
    ["refuses the code", { status: 400, body: { error: "invalid_grant" } }, 502, "refused the code"],
    ["answers nonsense", { status: 200, body: {} }, 502, "without an access token"],
  ])("when HubSpot %s, and the link is good again afterwards", async (_what, fault, status, words) => {
    const { world, link } = await waiting();
    await world.portal.fault({ ...fault, path: "/oauth/v3/token", times: 1 });
    const page = await answer(link);
    expect(page.status).toBe(status);
    expect(wordsOf(page)).toContain(words);
    expect(wordsOf(page)).toContain("Open the link you were given again");
    expect(page.headers["retry-after"]).toBe(status === 503 ? "60" : undefined);
    await expectWaiting(world);
    expect(Object.keys(await vaultOf(world)).some((name) => name.startsWith("token/"))).toBe(false);
    expect(await answer(link)).toMatchObject({ status: 200 });
    await expectConnected(world);
  });

  test("when the app's secret is wrong or missing: 500 for the admin, who learns no detail; the log says what to type", async () => {
    const { world, link, log } = await waiting();
    await succeed(world, ["secrets", "set", "hubspot.client-secret"], "wrong");
    const wrong = await answer(link);
    await succeed(world, ["secrets", "remove", "hubspot.client-secret", "--yes"]);
    const missing = await answer(link);
    for (const page of [wrong, missing]) {
      expect(page.status).toBe(500);
      expect(wordsOf(page)).toContain("Something on JobCannon's side has to be mended first.");
      expect(page.body).not.toContain("client-secret");
    }
    expect(log()).toContain("HubSpot does not know this client id and secret");
    expect(log()).toContain("the secret hubspot.client-secret is not set");
    expect(log()).toContain("jc-integrations secrets set hubspot.client-secret");
    await expectWaiting(world);
    await succeed(world, ["secrets", "set", "hubspot.client-secret"], "right");
    expect(await answer(link)).toMatchObject({ status: 200 });
  });

  test("that no person followed: a POST 405, a picture in a page 403", async () => {
    const { world, link } = await waiting();
    const redirect = await approve(link);
    const posted = await visit(redirect, { method: "POST" });
    expect(posted).toMatchObject({ status: 405, headers: { allow: "GET" } });
    const headers = { "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" };
    expect(await visit(redirect, { headers })).toMatchObject({ status: 403 });
    await expectWaiting(world);
    const followed = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
    expect(await visit(redirect, { headers: { ...followed, ...cookieFor(redirect) } })).toMatchObject({
      status: 303,
    });
    await expectConnected(world);
  });
});

describe("an answer that cannot be kept now is refused with 503", () => {
  test("while the vault cannot be written: its code is not spent, and the same address works afterwards", async () => {
    const { world, link, log } = await waiting();
    const redirect = await approve(link);
    const vault = new Database(join(world.stateDir, "vault.db"));
    vault.exec("CREATE TRIGGER trouble BEFORE UPDATE ON choice BEGIN SELECT RAISE(ABORT, 'disk'); END");
    const page = await open(redirect);
    expect(page.status).toBe(503);
    expect(wordsOf(page)).toContain("We cannot keep the connection at the moment. Nothing was changed.");
    expect(wordsOf(page)).toContain("Open the link you were given again");
    expect(page.body).not.toContain(world.stateDir);
    expect(log()).toContain("vault.db cannot be used");
    expect(await exchanges(world)).toBe(0);
    await expectWaiting(world);
    vault.exec("DROP TRIGGER trouble");
    vault.close();
    expect(await open(redirect)).toMatchObject({ status: 200 });
    await expectConnected(world);
  });

  test("while the vault cannot be read: 503, and the same address works afterwards", async () => {
    const { world, link } = await waiting();
    const redirect = await approve(link);
    const vault = new Database(join(world.stateDir, "vault.db"));
    vault.exec("ALTER TABLE item RENAME TO hidden");
    expect(await open(redirect)).toMatchObject({ status: 503 });
    vault.exec("ALTER TABLE hidden RENAME TO item");
    vault.close();
    expect(await open(redirect)).toMatchObject({ status: 200 });
  });

  test("when the vault takes everything but the tokens: nothing is connected, and the link works afterwards", async () => {
    const { world, link } = await waiting();
    const vault = new Database(join(world.stateDir, "vault.db"));
    vault.exec("CREATE TRIGGER trouble BEFORE INSERT ON item BEGIN SELECT RAISE(ABORT, 'disk'); END");
    expect(await answer(link)).toMatchObject({ status: 503 });
    await expectWaiting(world);
    vault.exec("DROP TRIGGER trouble");
    vault.close();
    expect(await answer(link)).toMatchObject({ status: 200 });
    await expectConnected(world);
  });

  test("while the log cannot grow: its code is not spent, and the same address works afterwards", async () => {
    const world = await publicWorld();
    const first = await launchService(world);
    const redirect = await approve(await linkFor(world));
    let other = await linkFor(world, "--org", "globex");
    let denied = await press(other);
    first.child.kill("SIGTERM");
    await first.ended;
    const cramped = await launchService(world, { shell: "ulimit -f 400" });
    let unended = 0;
    await until("the last page of the log is written", async () => {
      const state = new URL(denied.url).searchParams.get("state");
      const { status } = await open(`${redirectUriIn(other)}?state=${state}&error=access_denied`);
      const before = unended;
      unended = cramped.err().split("a link for consent could not be ended").length - 1;
      // Taken with the last page but one, and not ended, or out of date: another link is needed to write on.
      if (unended > before || (status !== 403 && status !== 503)) {
        other = await linkFor(world, "--org", "globex");
        denied = await press(other);
      }
      return status === 503;
    });
    const page = await open(redirect);
    expect(page.status).toBe(503);
    expect(wordsOf(page)).toContain("was not connected We cannot keep the connection");
    await until("the journal tells", () =>
      /consent not taken {2}vendor=hubspot {2}reason=".*log\.db/.test(cramped.err()),
    );
    expect(await exchanges(world)).toBe(0);
    cramped.child.kill("SIGTERM");
    await cramped.ended;
    await expectWaiting(world);
    await launchService(world);
    expect(await open(redirect)).toMatchObject({ status: 200 });
    await expectConnected(world);
  });

  test("when the connection cannot be written last: no tokens stay behind, and the link works afterwards", async () => {
    const { world, link } = await waiting();
    const log = new Database(join(world.stateDir, "log.db"));
    log.exec("CREATE TRIGGER trouble BEFORE INSERT ON connections BEGIN SELECT RAISE(ABORT, 'disk'); END");
    const page = await answer(link);
    expect(page.status).toBe(500);
    expect(wordsOf(page)).toContain("Something unexpected went wrong on our side. Nothing was changed.");
    expect(Object.keys(await vaultOf(world)).some((name) => name.startsWith("token/"))).toBe(false);
    await expectWaiting(world);
    log.exec("DROP TRIGGER trouble");
    log.close();
    expect(await answer(link)).toMatchObject({ status: 200 });
    await expectConnected(world);
  });
});

describe("disconnect", () => {
  test("of what was never connected makes its open link void, and says so", async () => {
    const { world } = await waiting();
    const { code, out } = await world.run(["disconnect", "hubspot", "--yes"]);
    expect(code).toBe(0);
    expect(out).toBe(
      "HubSpot was not connected (acme, production). The link for consent that was open no longer counts.\n",
    );
    expect(await statusOf(world)).toMatchObject({ state: "not_connected" });
    expect((await world.run(["disconnect", "hubspot", "--yes"])).code).toBe(2);
  });

  test("of a connection makes its open link void too", async () => {
    const world = await connected({ env: await publicAddress() });
    await linkFor(world);
    expect((await world.run(["disconnect", "hubspot", "--yes", "--json"])).json).toMatchObject({
      linksVoided: 1,
    });
    expect(await statusOf(world)).toMatchObject({ state: "not_connected" });
  });
});

test("a link left alone for a month after its end is forgotten", async () => {
  const { world, clock } = await publicWorldInTime();
  const link = await linkFor(world);
  clock.jump(clock.now() + 38 * DAY);
  await linkFor(world, "--org", "globex");
  const log = new Database(join(world.stateDir, "log.db"), { readonly: true });
  expect(log.prepare("SELECT org FROM consents").pluck().all()).toEqual(["globex"]);
  log.close();
  expect(secretIn(link)).not.toBe("");
});

test("an interrupted connect leaves an open link as it was", async () => {
  const world = await publicWorld();
  const link = await linkFor(world);
  const connecting = world.start(["connect", "hubspot", "--no-browser"]);
  await until("the other link is shown", () => linkIn(connecting.err()));
  expect(await connecting.stop()).toMatchObject({ code: 3 });
  await expectWaiting(world);
  await serving(world);
  expect(await answer(link)).toMatchObject({ status: 200 });
});

/** The admin presses a button of HubSpot's consent page. */
async function decide(link: string, decision: "approve" | "deny") {
  const body = new URLSearchParams({ decision });
  const { headers } = await fetch((await press(link)).url, { method: "POST", body, redirect: "manual" });
  return await open(headers.get("location") ?? "");
}

/** The same state and configuration, for a second service beside the first. */
function withoutAddress(world: World): World {
  const start: World["start"] = (argv, options) =>
    world.start(argv, { ...options, env: { JC_SERVE_LISTEN: "127.0.0.1:0" } });
  return { ...world, start };
}
