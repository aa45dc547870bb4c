import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { askForConsent } from "../../src/oauth/consent/consent.ts";
import { exchangeCode } from "../../src/oauth/endpoint/exchange.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { secret } from "../../src/shared/secret.ts";
import { emulatedIssuer, testHttp } from "./world.ts";

const CHROMIUM = "/usr/bin/chromium";
const FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];
const isMissing = !existsSync(CHROMIUM) && process.env.JC_TEST_ALL_PARTS !== "1";

/** A person with a real browser: opens the link, presses the button, and looks at what comes. */
describe.skipIf(isMissing)("in a real browser", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  });
  afterAll(() => browser?.close());

  async function connect(button: "Approve" | "Deny", clientSecret = "right") {
    const { issuer } = await emulatedIssuer({ autoApprove: false });
    const http = testHttp();
    const page = await browser.newPage({ viewport: { width: 900, height: 640 } });
    onTestFinished(() => page.close());
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    const visits: Promise<void>[] = [];
    const result = askForConsent(
      { clock: systemClock },
      {
        issuer,
        signal: new AbortController().signal,
        onUrl: () => {},
        openBrowser: (url) => visits.push(consent(page, url, button)),
        redeem: (code) =>
          exchangeCode({ http, clock: systemClock }, { issuer, clientSecret: secret(clientSecret), ...code }),
      },
    );
    const outcome = await result.catch((error: unknown) => error);
    await Promise.all(visits);
    if (process.env.JC_SCREENSHOTS)
      await page.screenshot({ path: join(process.env.JC_SCREENSHOTS, `${button}-${clientSecret}.png`) });
    return { outcome, page, complaints };
  }

  async function consent(page: Page, url: string, button: string): Promise<void> {
    await page.goto(url);
    await page.getByRole("button", { name: button }).click();
    await page.waitForURL("**/hubspot/oauth-callback/done");
  }

  test("approving ends at a page that says so, styled, and with no code in the history", async () => {
    const { outcome, page, complaints } = await connect("Approve");
    expect(outcome).toMatchObject({ scopes: expect.arrayContaining(["oauth"]) });
    expect(await page.getByRole("heading").textContent()).toBe("HubSpot is connected");
    expect(await page.title()).toBe("HubSpot is connected");
    expect(await page.locator("svg").boundingBox()).toMatchObject({ width: 52, height: 52 });
    expect(complaints.filter((complaint) => complaint.includes("Content Security Policy"))).toEqual([]);
    expect(new URL(page.url()).search).toBe("");
  });

  test("denying ends at a page that tells how to try again", async () => {
    const { outcome, page } = await connect("Deny");
    expect(outcome).toMatchObject({ code: "CANCELLED" });
    expect(await page.getByRole("heading").textContent()).toBe("HubSpot was not connected");
    expect(await page.locator("code").textContent()).toBe("jc-integrations connect hubspot");
  });

  test("an exchange that fails is told in the browser too", async () => {
    const { outcome, page } = await connect("Approve", "wrong");
    expect(outcome).toMatchObject({ code: "CONFIG_INVALID" });
    expect(await page.locator("main").textContent()).toContain("secrets set hubspot.client-secret");
  });
});
