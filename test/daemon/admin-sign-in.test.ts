/** The admin page without a browser: who gets in, what a stranger can do, and what each admin may see. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { askByTls, issued, missingForCertificates, tlsSettings } from "../certificates.ts";
import { approve, publicAddress, publicWorld, wordsOf } from "../connect/linked.ts";
import { approve as approveAtVendor } from "../connect/world.ts";
import { launchService } from "../end-to-end/program.ts";
import { fakeClock } from "../fake-clock.ts";
import { visit } from "../oauth/browser.ts";
import {
  connect,
  importResults,
  invite,
  prepared,
  succeed,
  type World,
  type WorldOptions,
} from "../world.ts";
import { adminLink, caller, postForm } from "./admin-page.ts";
import { serving } from "./serving.ts";

const HOME = "/admin/integrations";

async function served(options: WorldOptions = {}): Promise<{ world: World; adminUrl: string }> {
  const world = await publicWorld(options);
  const { running } = await serving(world);
  return { world, adminUrl: `http://${JSON.parse(running.out()).admin}` };
}

const secretIn = (link: string) => new URL(link).searchParams.get("link") ?? "";

describe("a link", () => {
  test("is used up by the button alone, once, and leaves a cookie that scripts and other sites do not get", async () => {
    const { world, adminUrl } = await served();
    const link = await adminLink(world);
    expect(link).toMatch(new RegExp(`^${adminUrl}/admin/sign-in\\?link=[\\w-]{43}$`));
    for (let n = 0; n < 2; n++) expect((await visit(link)).body).toContain("<button>Sign in</button>");
    const fields = { link: secretIn(link) };
    const foreign = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
    expect((await postForm(`${adminUrl}/admin/sign-in`, fields, foreign)).status).toBe(403);
    const signedIn = await postForm(`${adminUrl}/admin/sign-in`, fields);
    expect(signedIn).toMatchObject({ status: 303, headers: { location: HOME } });
    expect(signedIn.headers["set-cookie"]).toEqual([
      expect.stringMatching(/^jc-admin=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Lax$/),
    ]);
    const again = await postForm(`${adminUrl}/admin/sign-in`, fields);
    expect(again.status).toBe(403);
    expect(wordsOf(again)).toContain("This link was used already");
    expect(wordsOf(again)).toContain("jc-integrations admin link");
  });

  test("signs in what is no browser, as curl, which says nothing of where it comes from; a page's own word still counts", async () => {
    const { world, adminUrl } = await served();
    const type = "application/x-www-form-urlencoded";
    const said = async (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
      await visit(adminUrl + path, {
        method: "POST",
        body: new URLSearchParams(fields).toString(),
        headers: { "content-type": type, ...headers },
      });
    const link = { link: secretIn(await adminLink(world)) };
    for (const foreign of [
      { origin: "null" },
      { origin: "https://evil.example" },
      { referer: "https://evil.example/page" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "none" },
    ])
      expect((await said("/admin/sign-in", link, foreign)).status, JSON.stringify(foreign)).toBe(403);
    const signedIn = await said("/admin/sign-in", link);
    expect(signedIn).toMatchObject({ status: 303, headers: { location: HOME } });
    const cookie = signedIn.headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
    const home = await visit(adminUrl + HOME, { headers: { cookie } });
    expect(home.status).toBe(200);
    const csrf = /name="csrf" value="([^"]+)"/.exec(home.body)?.[1] ?? "";
    const find = { org: "acme", candidate: "inv_none" };
    expect((await said(`${HOME}/find`, find, { cookie })).status).toBe(403);
    expect((await said(`${HOME}/find`, { ...find, csrf }, { cookie })).status).toBe(404);
  });

  test("ends after 15 minutes, and who came by one is signed out after 12 hours", async () => {
    const clock = fakeClock();
    const { world, adminUrl } = await served({ clock });
    const late = await adminLink(world);
    const { get } = await caller(adminUrl, await adminLink(world));
    expect((await get(HOME)).status).toBe(200);
    await clock.advance(15 * 60_000);
    expect(wordsOf(await visit(late))).toContain("This link has expired");
    await clock.advance(11.7 * 3_600_000);
    expect((await get(HOME)).status).toBe(200);
    await clock.advance(3_600_000);
    expect((await get(HOME)).status).toBe(401);
  });

  test("is not guessed: after ten that are none nobody signs in for a while", async () => {
    const { world, adminUrl } = await served();
    for (let n = 0; n < 10; n++)
      expect((await postForm(`${adminUrl}/admin/sign-in`, { link: `${n}`.padEnd(43, "x") })).status).toBe(
        403,
      );
    const refused = await postForm(`${adminUrl}/admin/sign-in`, { link: secretIn(await adminLink(world)) });
    expect(refused).toMatchObject({
      status: 429,
      headers: { "retry-after": expect.stringMatching(/^\d+$/) },
    });
  });

  test("leads to no page where there is none, and says what to set", async () => {
    const world = await prepared({ env: { JC_SERVE_ADMIN_LISTEN: "none" } });
    const { code, err } = await world.run(["admin", "link"]);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining("serve.admin_listen") });
  });

  test("says first that no service runs, and what to type; nothing of it where one does", async () => {
    const world = await prepared();
    const { out, err } = await world.run(["admin", "link"]);
    expect(err).toMatch(/^! No service is running: .* jc-integrations serve\n/);
    expect(out).toContain("/admin/sign-in?link=");
    const link = ["admin", "link", "--json"];
    expect((await world.run(link)).json).toMatchObject({ isServiceRunning: false });
    await serving(world);
    expect((await world.run(["admin", "link"])).err).not.toContain("No service");
    expect((await world.run(link)).json).toMatchObject({ isServiceRunning: true });
  });

  test("names serve.admin_url, and says how to come from another machine where that is not set", async () => {
    const world = await prepared();
    const url = "https://admin.example.com";
    const named = await world.run(["admin", "link", "--json"], { env: { JC_SERVE_ADMIN_URL: url } });
    expect(named.json).toMatchObject({
      version: 1,
      org: null,
      url: expect.stringContaining(`${url}/admin/`),
    });
    const { err } = await world.run(["admin", "link"], { env: { JC_SERVE_ADMIN_LISTEN: "127.0.0.1:8471" } });
    expect(err).toContain("ssh -N -L 8471:127.0.0.1:8471 <this machine>");
    expect(err).toContain("No service is running");
    const unknown = await world.run(["admin", "link", "--org", "nobody"]);
    expect(unknown).toMatchObject({ code: 2, err: expect.stringContaining("nothing is known of the org") });
  });
});

describe("through a proxy with TLS that serve.admin_url names", () => {
  test("the page signs in as over TLS, and metrics still need their token", async () => {
    const url = "https://admin.example.com";
    const { world, adminUrl } = await served({ env: { JC_SERVE_ADMIN_URL: url } });
    const passedOn = { host: "admin.example.com", origin: url };
    const link = await adminLink(world);
    expect(link).toContain(`${url}/admin/sign-in?link=`);
    const page = await postForm(`${adminUrl}/admin/sign-in`, { link: secretIn(link) }, passedOn);
    const [kept = ""] = page.headers["set-cookie"] ?? [];
    expect(kept).toMatch(/^__Host-jc-admin=.*; Secure$/);
    const headers = { ...passedOn, cookie: kept.split(";")[0] ?? "" };
    expect((await visit(adminUrl + HOME, { headers })).status).toBe(200);
    expect((await visit(`${adminUrl}/metrics`, { headers })).status).toBe(401);
    expect(
      (await visit(adminUrl + HOME, { headers: { ...headers, host: "other.example.com" } })).status,
    ).toBe(421);
  });
});

describe("who is signed in", () => {
  test("stays so over a restart, by what the log cannot give away, until they sign out", async () => {
    const world = await publicWorld();
    const first = await launchService(world);
    const { cookie } = await caller(first.adminUrl, await adminLink(world));
    first.child.kill("SIGTERM");
    await first.ended;
    const { adminUrl } = await launchService(world);
    const home = await visit(adminUrl + HOME, { headers: { cookie } });
    expect(home.status).toBe(200);
    expect(readFileSync(join(world.stateDir, "log.db")).includes(cookie.split("=")[1] ?? "")).toBe(false);
    const csrf = /name="csrf" value="([^"]+)"/.exec(home.body)?.[1] ?? "";
    const out = await postForm(`${adminUrl}/admin/sign-out`, { csrf }, { cookie });
    expect(out.headers["set-cookie"]?.[0]).toContain("Max-Age=0");
    expect((await visit(adminUrl + HOME, { headers: { cookie } })).status).toBe(401);
  });

  test("is signed out by a restore: whoever signed out since would else be back in", async () => {
    const world = await publicWorld();
    const first = await launchService(world);
    const { cookie } = await caller(first.adminUrl, await adminLink(world));
    const unused = await adminLink(world);
    const { json } = await world.run(["backup", "--json"]);
    first.child.kill("SIGTERM");
    await first.ended;
    await succeed(world, ["restore", String(Object(json).file), "--yes"]);
    const { adminUrl } = await launchService(world);
    expect((await visit(adminUrl + HOME, { headers: { cookie } })).status).toBe(401);
    const again = await postForm(`${adminUrl}/admin/sign-in`, { link: secretIn(unused) });
    expect(wordsOf(again)).toContain("This is no link of ours");
  });

  test("alone sees pages: nobody else learns more than how to sign in", async () => {
    const { world, adminUrl } = await served();
    await connect(world);
    const paths = [HOME, `${HOME}/hubspot/logs`, `${HOME}/candidate?org=acme&invite=inv_1`, "/admin/live"];
    for (const path of [...paths, "/admin/audit", "/admin/nothing"])
      for (const cookie of ["", "jc-admin=none", `jc-admin=${"x".repeat(43)}`]) {
        const page = await visit(adminUrl + path, { headers: { cookie } });
        expect(page.status).toBe(401);
        expect(wordsOf(page)).toContain("Sign in");
        expect(page.body).not.toContain("acme");
      }
    const moved = await postForm(`${adminUrl}${HOME}/resync`, { org: "acme", vendor: "hubspot" });
    expect(moved.status).toBe(401);
    expect((await visit(adminUrl + HOME, { headers: { host: "evil.example" } })).status).toBe(421);
  });

  test("changes nothing by a form that is not this session's own", async () => {
    const { world, adminUrl } = await served();
    await connect(world);
    const one = await caller(adminUrl, await adminLink(world));
    const other = await caller(adminUrl, await adminLink(world));
    const place = { org: "acme", vendor: "hubspot", environment: "production" };
    const before = (await world.portal.requests()).length;
    const tries = [
      one.post(`${HOME}/resync`, { ...place, csrf: other.csrf }),
      one.post(`${HOME}/resync`, { ...place, csrf: "" }),
      one.post(`${HOME}/resync`, place, { origin: "https://evil.example" }),
      one.post(`${HOME}/connect`, place, { "sec-fetch-site": "same-site" }),
      one.post(`${HOME}/connect`, place, { "content-type": "text/plain" }),
    ];
    for (const page of await Promise.all(tries)) expect(page.status).toBe(403);
    expect((await one.get(`${HOME}/resync`)).status).toBe(404);
    expect((await world.portal.requests()).length).toBe(before);
    expect((await one.post(`${HOME}/resync`, place)).status).toBe(303);
  });

  test("to one org sees and changes that one alone", async () => {
    const { world, adminUrl } = await served();
    await connect(world);
    const [own, foreign] = [invite(), invite({ org: "other" })];
    await importResults(world, [own, foreign]);
    const { get, post } = await caller(adminUrl, await adminLink(world, "--org", "acme"));
    const home = await get(`${HOME}?find=other`);
    expect(home.body).not.toContain("org-other");
    const id = foreign.data.invitation_id;
    expect((await get(`${HOME}/candidate?org=other&invite=${id}`)).status).toBe(404);
    expect((await get(`${HOME}/candidate?org=acme&invite=${own.data.invitation_id}`)).status).toBe(200);
    expect((await get(`${HOME}/hubspot/logs?org=other`)).status).toBe(404);
    expect((await post(`${HOME}/find`, { org: "other", candidate: id })).status).toBe(404);
    for (const action of ["connect", "resync"])
      expect((await post(`${HOME}/${action}`, { org: "other", vendor: "hubspot" })).status).toBe(404);
    const all = await caller(adminUrl, await adminLink(world));
    expect((await all.get(HOME)).body).toContain("org-other");
  });
});

describe("a page", () => {
  test("holds no script and no style of its own, loads nothing from elsewhere, and is kept by nobody", async () => {
    const { world, adminUrl } = await served();
    await connect(world);
    await importResults(world, [invite({ email: `<b>"x"@example.org` })]);
    const { get } = await caller(adminUrl, await adminLink(world));
    for (const path of [HOME, `${HOME}/hubspot/logs`, "/admin/audit", "/admin/nothing"]) {
      const { headers, body } = await get(path);
      const policy = String(headers["content-security-policy"]);
      expect(policy).toContain("default-src 'none'; style-src 'self'; script-src 'self'");
      expect(policy).not.toContain("unsafe");
      expect(headers).toMatchObject({ "cache-control": "no-store", "x-content-type-options": "nosniff" });
      expect(body).not.toMatch(/<style|<script(?! src="\/admin\/)|\son[a-z]+=|\sstyle=|https?:\/\//);
      expect(body).not.toContain("<b>");
    }
  });

  test("of many orgs shows some, finds one, and leads to the rest", async () => {
    const { world, adminUrl } = await served();
    const orgs = Array.from({ length: 45 }, (_, n) => `org-${String(n).padStart(2, "0")}`);
    await importResults(
      world,
      orgs.map((org) => invite({ org })),
    );
    const { get } = await caller(adminUrl, await adminLink(world));
    const shownOn = async (query: string) =>
      [...(await get(HOME + query)).body.matchAll(/<h2 id="org-([^"]+)"/g)].map(([, org]) => org);
    const pages = await Promise.all(["", "?page=2", "?page=3"].map(shownOn));
    expect(pages.map((page) => page.length)).toEqual([20, 20, 6]);
    expect(pages.flat()).toEqual(["acme", ...orgs]);
    expect(await shownOn("?find=ORG-4")).toEqual(orgs.slice(40));
    expect(await shownOn("?page=99")).toEqual(pages[2]);
  });

  test("shows an address when it is asked for, and who asked is written down", async () => {
    const { world, adminUrl } = await served();
    await connect(world);
    const event = invite({ email: "maya@example.org" });
    await importResults(world, [event]);
    await succeed(world, ["run", "retry"]);
    const { get, post } = await caller(adminUrl, await adminLink(world));
    const id = event.data.invitation_id;
    const found = await post(`${HOME}/find`, { org: "acme", candidate: " Maya@example.org" });
    expect(found).toMatchObject({ status: 303, headers: { location: expect.stringContaining(id) } });
    expect((await post(`${HOME}/find`, { org: "acme", candidate: "no@one.example" })).status).toBe(404);
    const log = `${HOME}/hubspot/logs`;
    const masked = [String(found.headers.location), `${log}?show=written`];
    for (const path of masked) expect((await get(path)).body).not.toContain("maya@example.org");
    const asked = { org: "acme", show: "written" };
    expect((await post(log, asked)).body).toContain("maya@example.org");
    expect((await post(`${HOME}/candidate`, { org: "acme", invite: id })).body).toContain("maya@example.org");
    const audit = wordsOf(await get("/admin/audit"));
    expect(audit).toContain(`showed addresses acme invitation ${id}`);
    expect(audit).toContain("showed addresses acme HubSpot log");
    expect(audit).not.toContain("maya@");
  });
});

describe("a consent that is begun on the page", () => {
  const place = { org: "acme", vendor: "hubspot", environment: "production" };

  /** As a browser does that comes from the page. */
  async function begin(
    adminUrl: string,
    post: (path: string, fields: Record<string, string>) => ReturnType<typeof visit>,
  ) {
    const pressed = await post(`${HOME}/connect`, place);
    const link = String(pressed.headers.location);
    const led = await visit(link, { headers: { referer: `${adminUrl}/` } });
    const cookie = String(led.headers["set-cookie"]?.[0]).split(";")[0] ?? "";
    return { link, back: await approveAtVendor(String(led.headers.location)), cookie };
  }

  test("leads straight to HubSpot and back to the page, counts as confirmed, and says so in green", async () => {
    const { world, adminUrl } = await served();
    const { get, post } = await caller(adminUrl, await adminLink(world));
    const { back, cookie } = await begin(adminUrl, post);
    const { headers } = await visit(back, { headers: { cookie } });
    const to = new URL(String(headers.location));
    expect(to.origin).toBe(adminUrl);
    const page = await get(to.pathname + to.search);
    expect(page.body).toContain('class="banner good" role="status"><p><strong>HubSpot is connected');
    expect(wordsOf(page)).toContain("from now on");
    await expect.poll(async () => (await world.portal.properties()).length).toBe(17);
    await expect
      .poll(async () => wordsOf(await get("/admin/audit")))
      .toContain("connect acme acme/hubspot/production");
  });

  test("is asked for at the link's own page where it is opened from anywhere else", async () => {
    const { world, adminUrl } = await served();
    const { post } = await caller(adminUrl, await adminLink(world));
    const link = String((await post(`${HOME}/connect`, place)).headers.location);
    for (const referer of ["", "https://evil.example/", `${adminUrl}.evil.example/`]) {
      const page = await visit(link, { headers: { referer } });
      expect(page.status).toBe(200);
      expect(page.headers["set-cookie"]).toBeUndefined();
    }
    expect(await approve(link)).toContain("code=");
  });

  test("does not get an account that another org has, and does not name that org", async () => {
    const { world, adminUrl } = await served();
    await succeed(world, ["connect", "hubspot", "--org", "rival"]);
    await importResults(world, [invite()]);
    const { get, post } = await caller(adminUrl, await adminLink(world, "--org", "acme"));
    const { back, cookie } = await begin(adminUrl, post);
    const to = new URL(String((await visit(back, { headers: { cookie } })).headers.location));
    const page = await get(to.pathname + to.search);
    expect(wordsOf(page)).toContain("HubSpot was not connected");
    expect(wordsOf(page)).toContain("another organisation");
    expect(page.body).not.toContain("rival");
    expect(page.body).toContain('<span class="pill off">Not connected</span>');
  });
});

test("a page that listens hears of each change, and does not hold up the end of the service", async () => {
  const world = await publicWorld();
  const service = await launchService(world);
  const { cookie } = await caller(service.adminUrl, await adminLink(world));
  const answer = await fetch(`${service.adminUrl}/admin/live`, { headers: { cookie } });
  expect(answer.headers.get("content-type")).toBe("text/event-stream");
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  await importResults(world, [invite()]);
  let heard = "";
  while (!heard.includes("event: changed")) heard += (await reader?.read())?.value ?? "";
  const beganAt = performance.now();
  service.child.kill("SIGTERM");
  expect(await service.ended).toMatchObject({ code: 0 });
  expect(performance.now() - beganAt).toBeLessThan(8_000);
});

test.skipIf(missingForCertificates !== null)(
  "over TLS the cookie is one that only this host can have set",
  async () => {
    const pair = issued();
    const world = await prepared({ env: { ...(await publicAddress()), ...tlsSettings(pair) } });
    const { adminUrl } = await launchService(world);
    const base = adminUrl.replace("http:", "https:");
    const link = await adminLink(world);
    expect(link).toContain(`${base}/admin/`);
    const signedIn = await askByTls(`${base}/admin/sign-in`, {
      ca: pair.ca,
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", origin: base },
      body: `link=${secretIn(link)}`,
    });
    expect(signedIn.headers["set-cookie"]?.[0]).toMatch(/^__Host-jc-admin=.*; Secure$/);
  },
);
