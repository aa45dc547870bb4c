import { appendFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { answer, redirectUriIn, wordsOf } from "../connect/linked.ts";
import { vaultOf } from "../connect/world.ts";
import { serving } from "../daemon/serving.ts";
import { fakeClock } from "../fake-clock.ts";
import { succeed, until } from "../world.ts";
import { APP, atsWorld, company, connectedAts, invited, rowOf, SCOPES, untilDelivered } from "./world.ts";

const DAY = 24 * 3_600_000;
const NOON = Date.UTC(2026, 10, 22, 12);

const GLOBEX = `[orgs.globex]
smartrecruiters_client_id = "sr-globex"
`;

describe("connect smartrecruiters", () => {
  test("shows the account, the five scopes, the login's end and the custom fields, and what to type next", async () => {
    const world = await atsWorld({ clock: fakeClock(NOON) });
    const { code, out } = await world.run(["connect", "smartrecruiters"]);
    expect(code).toBe(0);
    expect(out).toContain("SmartRecruiters  [Connected]");
    expect(out).toMatch(new RegExp(`account +${APP}`));
    expect(out).toMatch(/scopes +5 granted/);
    expect(out).toMatch(/login +0 days old, good until 2028-11-21 12:00 UTC/);
    expect(out).toMatch(/scorecard fields +9 found/);
    expect(out).toContain("Let its webhooks reach us: jc-integrations webhooks subscribe --org acme");
    expect(await rowOf(world)).toMatchObject({
      state: "connected",
      account: expect.stringContaining(APP),
      missingScopes: [],
      banner: null,
      login: { since: "2026-11-22T12:00:00.000Z", endsAt: "2028-11-21T12:00:00.000Z" },
    });
  });

  test("names what is not set when there is no client id, for the org it was typed for", async () => {
    const world = await atsWorld({ clientId: "" });
    const { code, err } = await world.run(["connect", "smartrecruiters"]);
    expect(code).toBe(2);
    expect(err).toContain('[smartrecruiters] client_id = "…"');
    expect(err).toContain('[orgs.acme] smartrecruiters_client_id = "…"');
  });

  test("uses an org's own client id and its own secret, and keeps the companies apart", async () => {
    const world = await connectedAts({ config: GLOBEX });
    await succeed(
      world,
      ["secrets", "set", "smartrecruiters.client-secret", "--org", "globex"],
      "globex's own",
    );
    await succeed(world, ["connect", "smartrecruiters", "--org", "globex"]);
    expect(await rowOf(world, "--org", "globex")).toMatchObject({ account: "sr-globex (sr-globex)" });
    expect(await rowOf(world)).toMatchObject({ account: `${APP} (${APP})` });
    const names = Object.keys(await vaultOf(world));
    expect(names).toEqual(
      expect.arrayContaining([
        "token/acme/smartrecruiters/production",
        "token/globex/smartrecruiters/production",
      ]),
    );
  });

  test("refuses a wrong secret of the org's own, though everybody's would do", async () => {
    const world = await atsWorld({ config: GLOBEX });
    await succeed(world, ["secrets", "set", "smartrecruiters.client-secret", "--org", "globex"], "wrong");
    const { code, err } = await world.run(["connect", "smartrecruiters", "--org", "globex"]);
    expect(code).toBe(2);
    expect(err).toContain("does not know this client id and secret");
    expect(err).toContain("secrets set smartrecruiters.client-secret --org globex\n");
    expect(err).toContain("[orgs.globex] smartrecruiters_client_id");
    expect((await world.run(["connect", "smartrecruiters"])).code).toBe(0);
    await succeed(world, ["secrets", "remove", "smartrecruiters.client-secret", "--org", "globex", "--yes"]);
    await succeed(world, ["secrets", "remove", "smartrecruiters.client-secret", "--yes"]);
    const unset = async (...org: string[]) => (await world.run(["connect", "smartrecruiters", ...org])).err;
    // It has a client id, and so an app, of its own.
    expect(await unset("--org", "globex")).toMatch(
      /secrets set smartrecruiters.client-secret --org globex$/m,
    );
    expect(await unset()).toMatch(/secrets set smartrecruiters.client-secret$/m);
  });

  test("names the scope that was not granted, in the guide's words, and ends with 7", async () => {
    const world = await atsWorld();
    await world.smartrecruiters.settings({
      grantedScopes: SCOPES.filter((scope) => scope !== "assessments:write"),
    });
    const { code, err, out } = await world.run(["connect", "smartrecruiters"]);
    expect(code).toBe(7);
    expect(out).toMatch(/assessments:write +missing/);
    expect(err).toContain("not granted: assessments:write");
    expect(err).toContain("Assessment delivery failed (403 Forbidden)");
    expect(err).toContain("Check integration scopes in SmartRecruiters");
    expect(err).toContain("re-authorize and approve all required scopes");
    const row = await rowOf(world);
    expect(row?.missingScopes).toEqual(["assessments:write"]);
    expect(row?.banner).toContain("assessments:write");
    expect(row?.banner).toContain("jc-integrations connect smartrecruiters --org acme");
  });

  test("tells the guide's cause and fix with the exact address when its page refuses the redirect URI", async () => {
    const clock = fakeClock(NOON);
    const world = await atsWorld({ clock });
    await world.smartrecruiters.settings({
      redirectUris: ["https://api.jobcannon.io/smartrecruiters/oauth-callback"],
    });
    const running = world.start(["connect", "smartrecruiters"]);
    const page = await until("the browser shows the page", () => world.visits.at(-1));
    expect(page.body).toContain("Invalid OAuth redirect URI");
    const link = /^(http\S+allow\?\S+)$/m.exec(running.err())?.[1] ?? "";
    await clock.advance(5 * 60_000 + 1_000);
    const { code, err } = await running.done;
    expect(code).toBe(3);
    expect(err).toContain("Registered URI doesn't match the callback URL.");
    expect(err).toContain(`Verify SmartRecruiters shows ${redirectUriIn(link)}.`);
    expect(err).toContain("Check for typos or trailing slashes.");
  });

  test("tells them as well when its token endpoint refuses the redirect URI", async () => {
    const world = await atsWorld();
    await world.smartrecruiters.fault({
      status: 400,
      path: "/identity/oauth/token",
      body: { error: "invalid_grant", error_description: "Invalid OAuth redirect URI" },
    });
    const { code, err } = await world.run(["connect", "smartrecruiters"]);
    expect(code).toBe(2);
    expect(err).toContain("Registered URI doesn't match the callback URL.");
    expect(err).toMatch(
      /Verify SmartRecruiters shows http:\/\/localhost:\d+\/smartrecruiters\/oauth-callback\./,
    );
    expect(await rowOf(world)).toMatchObject({ state: "not_connected" });
  });

  test("takes a token endpoint that answers 200 with nothing in it for no consent", async () => {
    const world = await atsWorld();
    await world.smartrecruiters.fault({ status: 200, path: "/identity/oauth/token", body: {} });
    const { code, err } = await world.run(["connect", "smartrecruiters"]);
    expect(code).toBe(6);
    expect(err).toContain("without an access token");
    expect(Object.keys(await vaultOf(world)).filter((name) => name.startsWith("token/"))).toEqual([]);
  });
});

describe("another company", () => {
  test("is asked about first: with --yes all counts as never sent there", async () => {
    const world = await connectedAts();
    const env = { JC_SMARTRECRUITERS_CLIENT_ID: "sr-other" };
    const refused = await world.run(["connect", "smartrecruiters"], { env });
    expect(refused.code).toBe(2);
    expect(refused.err).toContain(`consent came from account sr-other, not ${APP} as before`);
    expect(await rowOf(world)).toMatchObject({ account: `${APP} (${APP})` });
    expect((await world.run(["connect", "smartrecruiters", "--yes"], { env })).code).toBe(0);
    expect(await rowOf(world)).toMatchObject({ account: "sr-other (sr-other)" });
  });
});

describe("one org's broken configuration", () => {
  test("keeps no other org's jobs from running", async () => {
    const world = await connectedAts({ config: GLOBEX });
    await succeed(world, ["connect", "smartrecruiters", "--org", "globex"]);
    for (const org of ["acme", "globex"]) await succeed(world, ["webhooks", "subscribe", "--org", org]);
    appendFileSync(world.configFile, '[orgs.acme]\nsmartrecruiters_profile = "v201907"\n');
    for (const job of ["subscriptions", "refresh"]) {
      const { code, json } = await world.run(["run", job, "--json"]);
      expect({ job, code }).toEqual({ job, code: 0 });
      expect(json).toMatchObject({
        failed: [expect.stringContaining("in another profile than smartrecruiters.profile says")],
      });
    }
    expect((await world.run(["status"])).code).toBe(0);
  });

  test("holds up nobody else's results, and ends no service", async () => {
    const world = await connectedAts({ config: GLOBEX });
    await succeed(world, ["connect", "smartrecruiters", "--org", "globex"]);
    appendFileSync(world.configFile, '[orgs.acme]\nsmartrecruiters_profile = "v201907"\n');
    const service = await serving(world);
    const [acmes, globexs] = [await company(world), await company(world, "sr-globex")];
    await world.smartrecruiters.complete((await invited(acmes)).candidateId);
    await until("it is tried", () => service.running.err().includes("in another profile"));
    await world.smartrecruiters.complete((await invited(globexs)).candidateId, "globex");
    await untilDelivered(world, 1, "--org", "globex");
    expect(await rowOf(world)).toMatchObject({ pushes: { pending: 1 } });
    const { code, err } = await world.run(["run", "retry"]);
    expect(code).toBe(2);
    expect(err).toContain("Set smartrecruiters.profile back");
    expect((await service.get("/healthz")).status).toBe(200);
  });
});

describe("connect smartrecruiters --via-service", () => {
  test("leads back to the address that the guide registers, where serve finishes it", async () => {
    const world = await atsWorld();
    const redirectUri = `${world.publicUrl}/smartrecruiters/oauth-callback`;
    await world.smartrecruiters.settings({ redirectUris: [redirectUri] });
    await serving(world);
    const run = await succeed(world, ["connect", "smartrecruiters", "--via-service"]);
    const link = run.out.trim();
    expect(redirectUriIn(link)).toBe(redirectUri);
    expect(run.err).toContain(`The app in SmartRecruiters must allow this redirect URL: ${redirectUri}`);
    const page = await answer(link);
    expect(page.status).toBe(200);
    expect(wordsOf(page)).toContain("SmartRecruiters");
    expect(await rowOf(world)).toMatchObject({ state: "connected", account: `${APP} (${APP})` });
  });

  test("lets each org's admin connect their own company", async () => {
    const world = await atsWorld({ config: GLOBEX });
    await serving(world);
    const links = [];
    for (const org of ["acme", "globex"])
      links.push(
        (await succeed(world, ["connect", "smartrecruiters", "--via-service", "--org", org])).out.trim(),
      );
    for (const link of links.reverse()) expect((await answer(link)).status).toBe(200);
    expect(await rowOf(world)).toMatchObject({ account: `${APP} (${APP})` });
    expect(await rowOf(world, "--org", "globex")).toMatchObject({ account: "sr-globex (sr-globex)" });
  });
});

describe("the login to SmartRecruiters", () => {
  const REFRESH = ["run", "refresh", "--json"];

  test("is renewed again and again with tokens that can be used once", async () => {
    const clock = fakeClock(NOON);
    const world = await atsWorld({ clock });
    await world.smartrecruiters.settings({ oneUseTokens: true });
    await succeed(world, ["connect", "smartrecruiters"]);
    for (let times = 1; times <= 3; times += 1) {
      clock.jump(clock.now() + 3_600_000);
      expect((await world.run(REFRESH)).json).toMatchObject({ refreshed: 1, failed: [] });
    }
    expect(await rowOf(world)).toMatchObject({
      state: "connected",
      login: { since: new Date(NOON + 3 * 3_600_000).toISOString() },
    });
    expect(await world.smartrecruiters.requests({ to: "/identity/oauth/token" })).toHaveLength(4);
  });

  test("outlives a token endpoint that answers 200 with nothing in it", async () => {
    const clock = fakeClock(NOON);
    const world = await connectedAts({ clock });
    await world.smartrecruiters.fault({ status: 200, path: "/identity/oauth/token", body: {} });
    clock.jump(NOON + 3_600_000);
    expect((await world.run(REFRESH)).json).toMatchObject({ refreshed: 0, failed: [expect.any(String)] });
    expect(await rowOf(world)).toMatchObject({ state: "connected" });
    await world.smartrecruiters.clearFaults();
    expect((await world.run(REFRESH)).json).toMatchObject({ refreshed: 1, failed: [] });
  });

  test("is warned about 30 days before its end, in status and by one alert", async () => {
    const clock = fakeClock(NOON);
    const world = await connectedAts({ clock, env: { JC_ALERTS_TELEGRAM_CHAT_ID: "4711" } });
    const env = { JC_ALERTS_TELEGRAM_API_BASE: world.emulator.telegram };
    await world.run(["secrets", "set", "telegram.bot-token"], { stdin: "123:abcdef" });
    const look = async () => (await world.run(["run", "alerts", "--json"], { env })).json;

    clock.jump(NOON + 699 * DAY);
    expect((await rowOf(world))?.banner).toBeNull();
    expect(await look()).toMatchObject({ sent: 0 });

    clock.jump(NOON + 701 * DAY);
    const { out } = await world.run(["status"]);
    expect(out).toContain("the login to SmartRecruiters ends in 29 days (2028-11-21 12:00 UTC).");
    expect(out).toContain("jc-integrations connect smartrecruiters --org acme");
    expect(await look()).toMatchObject({ sent: 1, failed: [] });
    expect(await look()).toMatchObject({ sent: 0 });

    await succeed(world, ["connect", "smartrecruiters"]);
    expect((await rowOf(world))?.banner).toBeNull();
  });
});
