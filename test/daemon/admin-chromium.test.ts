import { describe, expect, test } from "vitest";
import { atsWorld } from "../ats/world.ts";
import { launchService, send } from "../end-to-end/program.ts";
import { OTHER_PORTAL } from "../connect/world.ts";
import { invite, until } from "../world.ts";
import { browser, expectFits, isBrowserMissing, photograph, signIn, violations } from "./admin-page.ts";

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
    await expect.poll(() => row.textContent(), { timeout: 20_000 }).toContain("1 delivered");
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
  }, 120_000);
});
