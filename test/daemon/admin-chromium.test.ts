import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { atsWorld } from "../ats/world.ts";
import { askCandidates, connectedToBoth, inviteOf } from "../end-to-end/ats-world.ts";
import { launchService, send } from "../end-to-end/program.ts";
import { publicWorld } from "../connect/linked.ts";
import { OTHER_PORTAL } from "../connect/world.ts";
import { connected, importResults, invite, succeed, until } from "../world.ts";
import {
  adminLink,
  browser,
  expectFits,
  isBrowserMissing,
  photograph,
  signIn,
  violations,
} from "./admin-page.ts";

describe.skipIf(isBrowserMissing)("a RevOps person with a real browser", () => {
  test("connects HubSpot, sees results go out, repairs, and finds a candidate's road", async () => {
    const world = await atsWorld({ autoApprove: false });
    const service = await launchService(world);
    const { page, complaints, asked } = await browser();
    await signIn(page, world);
    const row = page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: "HubSpot" }) });
    await expect.poll(() => row.textContent()).toContain("Not connected");
    expect(await violations(page)).toEqual([]);
    await photograph(page, "empty");

    await page.getByRole("button", { name: "Connect HubSpot" }).click();
    await page.getByRole("button", { name: "Approve" }).click();
    await page.waitForURL("**/admin/integrations?notice=*");
    const banner = page.getByRole("status").first();
    expect(await banner.textContent()).toContain("HubSpot is connected");
    expect(await banner.getAttribute("class")).toBe("banner good");
    expect(await row.locator(".pill").textContent()).toBe("Connected");
    await photograph(page, "connected");
    await until("the properties are made", async () => (await world.portal.properties()).length === 17);

    const event = invite({ email: "maya@example.org" });
    expect(await send(service.url, event)).toMatchObject({ status: 202 });
    await expect.poll(() => row.textContent()).toContain("1 delivered");
    await world.portal.archiveProperty("jc_disc_d");
    await page.getByRole("button", { name: "Resync properties" }).click();
    await page.waitForURL("**/admin/integrations?notice=*");
    await expect.poll(() => page.getByRole("status").first().textContent()).toContain("jc_disc_d");
    expect(await world.portal.properties()).toHaveLength(17);
    await photograph(page, "resync");

    await page.getByLabel("Candidate's e-mail or invitation of acme").fill("Maya@Example.org");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/candidate?*");
    expect(page.url()).not.toContain("example.org");
    const main = page.getByRole("main");
    expect(await main.getByRole("status").first().textContent()).toMatch(
      /^Delivered to HubSpot [-\d]+ [:\d]+ UTC as contact \d+\.$/,
    );
    expect(await main.textContent()).not.toContain("maya@example.org");
    expect(await violations(page)).toEqual([]);
    await photograph(page, "road");
    await page.getByRole("button", { name: "Ask HubSpot now" }).click();
    await expect.poll(() => main.textContent()).toContain("Asked just now");
    await photograph(page, "road-asked");
    await page.getByRole("button", { name: "Show the address" }).click();
    await expect.poll(() => main.textContent()).toContain("maya@example.org");

    await page.getByRole("link", { name: "HubSpot log" }).click();
    await expect.poll(() => main.textContent()).toContain("delivered");
    expect(await main.textContent()).not.toContain("maya@example.org");
    expect(await violations(page)).toEqual([]);
    await photograph(page, "log");
    await page.getByRole("link", { name: "SmartRecruiters log" }).click();
    expect(await violations(page)).toEqual([]);

    await page.goto(`${service.adminUrl}/admin/integrations`);
    await world.portal.settings({ portalId: OTHER_PORTAL });
    await page.getByRole("button", { name: "Connect HubSpot" }).click();
    await page.getByRole("button", { name: "Approve" }).click();
    await page.waitForURL("**/admin/integrations?notice=*");
    expect(await page.getByRole("status").first().textContent()).toContain("HubSpot was not connected");
    await photograph(page, "other-account");
    for (const colorScheme of ["light", "dark"] as const)
      for (const width of [360, 1_000]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 800 });
        await expectFits(page);
        expect(await violations(page)).toEqual([]);
        await photograph(page, `${colorScheme}-${width}`);
      }
    const emulators = `${world.emulator.url}/`;
    expect(complaints.filter((complaint) => !complaint.startsWith(emulators))).toEqual([]);
    const hosts = [world.emulator.url, service.adminUrl, service.url].map((url) => new URL(url).port);
    expect(asked.filter((url) => !hosts.includes(new URL(url).port))).toEqual([]);
  });

  test("works without scripts, by the keyboard alone", async () => {
    const world = await publicWorld();
    const service = await launchService(world);
    await succeed(world, ["connect", "hubspot"]);
    const event = invite({ email: "maya@example.org" });
    await importResults(world, [event]);
    const { page } = await browser({ javaScriptEnabled: false });
    await page.goto(await adminLink(world));
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/admin/integrations");
    await tabTo(page, "Resync properties");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/admin/integrations?notice=*");
    expect(await page.getByRole("status").first().textContent()).toContain("All 17 properties are there");
    await tabTo(page, "Candidate's e-mail");
    await page.keyboard.type(event.data.invitation_id);
    await page.keyboard.press("Enter");
    await page.waitForURL("**/candidate?*");
    await tabTo(page, "HubSpot log");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/hubspot/logs");
    await page.getByLabel("Show").selectOption("received");
    await page.getByRole("button", { name: "Filter" }).click();
    expect(await page.getByRole("main").textContent()).toContain("invite.completed");
    await tabTo(page, "Sign out");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/admin/sign-in");
    expect((await page.goto(`${service.adminUrl}/admin/integrations`))?.status()).toBe(401);
  });

  test("sees what happened while the page was on its way", async () => {
    const world = await connected();
    const service = await launchService(world);
    const { page } = await browser();
    let listen = () => {};
    const isHeld = new Promise<void>((resolve) => {
      listen = resolve;
    });
    await page.route("**/admin/live", async (route) => {
      await isHeld;
      await route.continue();
    });
    await signIn(page, world);
    const main = page.getByRole("main");
    expect(await main.textContent()).not.toContain("1 delivered");
    await send(service.url, invite());
    await until("it is delivered", async () => (await world.portal.upserts()).length === 1);
    listen();
    await expect.poll(() => main.textContent()).toContain("1 delivered");
  });

  test("sees what became of a revoked app, and of SmartRecruiters' webhooks and results", async () => {
    const world = await connectedToBoth();
    const service = await launchService(world);
    const { page } = await browser();
    await signIn(page, world, "--org", "acme");
    const [asked] = await askCandidates(world, 1);
    if (!asked) throw new Error("nobody was asked");
    const event = inviteOf(asked);
    expect(await send(service.url, event)).toMatchObject({ status: 202 });
    const row = page
      .getByRole("listitem")
      .filter({ has: page.getByRole("heading", { name: "SmartRecruiters" }) });
    await expect.poll(() => row.textContent()).toContain("1 delivered");
    await page.getByRole("link", { name: "SmartRecruiters log" }).click();
    const forged = { method: "POST", body: "{}", headers: { "content-type": "application/json" } };
    expect((await fetch(`${world.publicUrl}/smartrecruiters/webhooks`, forged)).status).toBe(401);
    const main = page.getByRole("main");
    for (const word of ["delivered", "received", "refused"])
      await expect.poll(() => main.locator("td .pill").allTextContents()).toContain(word);
    expect(await main.getByRole("table").textContent()).toContain(asked.assessmentId);
    await photograph(page, "smartrecruiters-log");
    await page.getByRole("link", { name: event.data.invitation_id }).first().click();
    await page.getByRole("button", { name: "Ask SmartRecruiters now" }).click();
    await expect.poll(() => main.textContent()).toContain("Asked just now");
    expect(await violations(page)).toEqual([]);
    expect(await main.textContent()).toContain(`as the result of assessment ${asked.assessmentId}`);
    expect(await main.textContent()).not.toContain("differs");
    await photograph(page, "smartrecruiters-road");

    await world.portal.fault({ revoked: true });
    await send(service.url, invite());
    await page.getByRole("link", { name: "Integrations" }).click();
    const hubspot = page
      .getByRole("listitem")
      .filter({ has: page.getByRole("heading", { name: "HubSpot" }) });
    await expect.poll(() => hubspot.locator(".pill").textContent()).toBe("Not connected");
    expect(await hubspot.textContent()).toContain("Click Connect HubSpot: no data is lost.");
    expect(await violations(page)).toEqual([]);
    await photograph(page, "revoked");
    await world.portal.clearFaults();
    await page.getByRole("button", { name: "Connect HubSpot" }).click();
    await page.waitForURL("**/admin/integrations?notice=*");
    await expect.poll(() => hubspot.textContent()).toContain("2 delivered");
  });
});

/** Presses Tab until what has that name, or stands beside that label, has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let n = 0; n < 40; n++) {
    await page.keyboard.press("Tab");
    const focused = page.locator(":focus");
    const label = await focused
      .locator("xpath=self::*[not(self::input)]|parent::label")
      .first()
      .textContent();
    if (label?.includes(name)) return;
  }
  throw new Error(`nothing called ${name} is reached by Tab`);
}
