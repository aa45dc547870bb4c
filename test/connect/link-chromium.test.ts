import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { chromium, type Page } from "playwright-core";
import { describe, expect, onTestFinished, test } from "vitest";
import { launchService } from "../end-to-end/program.ts";
import { until, type World } from "../world.ts";
import { expectConnected, expectWaiting, linkFor, publicWorld, stateIn } from "./linked.ts";

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

  async function press(page: Page, link: string, button: "Approve" | "Deny"): Promise<void> {
    await page.goto(link);
    await page.getByRole("button", { name: button }).click();
    await page.waitForURL("**/hubspot/oauth-callback?**");
  }

  const heading = (page: Page) => page.getByRole("heading").textContent();

  test("denies, thinks better of it after the service was restarted, and connects the account", async () => {
    const world: World = await publicWorld({ autoApprove: false });
    const first = await launchService(world);
    const link = await linkFor(world);
    const { page, complaints, asked } = await adminsBrowser();
    await press(page, link, "Deny");
    expect(await heading(page)).toBe("HubSpot was not connected");
    expect(await page.locator("main").textContent()).toContain("Open the link you were given again");
    await photograph(page, "denied");
    await expectWaiting(world);

    first.child.kill("SIGTERM");
    expect(await first.ended).toMatchObject({ code: 0 });
    const service = await launchService(world);
    await press(page, link, "Approve");
    expect(await heading(page)).toBe("HubSpot is connected");
    expect(await page.locator("svg").boundingBox()).toMatchObject({ width: 52, height: 52 });
    await photograph(page, "connected");
    await expectConnected(world);
    await until("the portal is prepared", () => service.err().includes("properties ready"));
    expect(await world.portal.properties()).toHaveLength(17);

    await page.reload();
    expect(await heading(page)).toBe("This link was used already");
    await photograph(page, "used");
    expect(complaints.filter((complaint) => complaint.includes("Content Security Policy"))).toEqual([]);
    const own = new URL(world.emulator.url).host;
    const elsewhere = asked.filter((url) => ![own, new URL(page.url()).host].includes(new URL(url).host));
    expect(elsewhere).toEqual([]);
    expect(service.err()).not.toContain(stateIn(link));
    expect(readFileSync(join(world.stateDir, "log.db")).includes(stateIn(link))).toBe(false);
  });
});
