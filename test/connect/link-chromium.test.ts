import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { chromium, type Page } from "playwright-core";
import { describe, expect, onTestFinished, test } from "vitest";
import { launchService } from "../end-to-end/program.ts";
import type { World } from "../world.ts";
import { confirm, expectConnected, expectWaiting, linkFor, press, publicWorld, secretIn } from "./linked.ts";

const CHROMIUM = "/usr/bin/chromium";
const FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];
const isMissing = !existsSync(CHROMIUM) && process.env.JC_TEST_ALL_PARTS !== "1";

/** An admin on another machine: their own browser, their own profile, and nothing but the link they were handed. */
describe.skipIf(isMissing)("an admin with a real browser and a link", () => {
  async function adminsBrowser(): Promise<{ page: Page; complaints: string[]; asked: string[] }> {
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
    onTestFinished(() => browser.close());
    const page = await browser.newPage({ viewport: { width: 900, height: 640 } });
    const [complaints, asked]: string[][] = [[], []];
    page.on("console", (message) => complaints?.push(message.text()));
    page.on("request", (request) => asked?.push(request.url()));
    return { page, complaints: complaints ?? [], asked: asked ?? [] };
  }

  async function photograph(page: Page, name: string): Promise<void> {
    if (process.env.JC_SCREENSHOTS)
      await page.screenshot({ path: join(process.env.JC_SCREENSHOTS, `link-${name}.png`) });
  }

  /** Wide and narrow, in the light and in the dark. */
  async function photographAll(page: Page, link: string): Promise<void> {
    if (!process.env.JC_SCREENSHOTS) return;
    await page.goto(link);
    for (const colorScheme of ["light", "dark"] as const)
      for (const [name, width] of [
        ["wide", 900],
        ["narrow", 340],
      ] as const) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 760 });
        await photograph(page, `ask-${colorScheme}-${name}`);
      }
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize({ width: 900, height: 640 });
  }

  async function decide(page: Page, link: string, button: "Approve" | "Deny"): Promise<void> {
    await page.goto(link);
    expect(await heading(page)).toBe("Connect HubSpot to JobCannon for acme?");
    await page.getByRole("button", { name: "Continue to HubSpot" }).click();
    await page.getByRole("button", { name: button }).click();
    await page.waitForURL("**/hubspot/connect");
    expect(page.url()).not.toContain("?");
  }

  const heading = (page: Page) => page.getByRole("heading").textContent();

  test("denies, thinks better of it after the service was restarted, and connects the account", async () => {
    const world: World = await publicWorld({ autoApprove: false });
    const first = await launchService(world);
    const link = await linkFor(world);
    const { page, complaints, asked } = await adminsBrowser();
    await photographAll(page, link);
    await decide(page, link, "Deny");
    expect(await heading(page)).toBe("HubSpot was not connected");
    expect(await page.locator("main").textContent()).toContain("Open the link you were given again");
    await photograph(page, "denied");
    await expectWaiting(world);

    first.child.kill("SIGTERM");
    expect(await first.ended).toMatchObject({ code: 0 });
    const service = await launchService(world);
    await decide(page, link, "Approve");
    expect(await heading(page)).toBe("HubSpot is connected");
    expect(await page.locator("svg").boundingBox()).toMatchObject({ width: 52, height: 52 });
    await photograph(page, "connected");
    await expectConnected(world);
    expect(await page.locator("main").textContent()).toContain("once JobCannon has confirmed");
    expect(await world.portal.properties()).toHaveLength(0);
    await confirm(world);
    expect(await world.portal.properties()).toHaveLength(17);

    await page.reload();
    expect(await heading(page)).toBe("HubSpot is connected");
    await page.goto(link);
    expect(await heading(page)).toBe("This link was used already");
    await photograph(page, "used");
    expect(complaints.filter((complaint) => complaint.includes("Content Security Policy"))).toEqual([]);
    const own = new URL(world.emulator.url).host;
    const elsewhere = asked.filter((url) => ![own, new URL(page.url()).host].includes(new URL(url).host));
    expect(elsewhere).toEqual([]);
    expect(service.err()).not.toContain(secretIn(link));
    expect(readFileSync(join(world.stateDir, "log.db")).includes(secretIn(link))).toBe(false);
  });

  test("is not connected by the vendor's address of somebody else's link, nor by another site's button", async () => {
    const world: World = await publicWorld({ autoApprove: false });
    await launchService(world);
    const link = await linkFor(world);
    const { url } = await press(link);
    const { page } = await adminsBrowser();
    await page.goto(url);
    await page.getByRole("button", { name: "Approve" }).click();
    await page.waitForURL("**/hubspot/connect");
    expect(await heading(page)).toBe("This is not a consent we asked for");
    await expectWaiting(world);

    const form = `<form method="post" action="${link}"><button>Win</button></form>`;
    await page.goto(`data:text/html,${encodeURIComponent(form)}`);
    const answered = page.waitForResponse((response) => response.url() === link);
    await page.getByRole("button", { name: "Win" }).click();
    expect((await answered).status()).toBe(403);
    await expectWaiting(world);
  });
});
