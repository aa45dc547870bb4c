/** The admin page as a person with a browser meets it, and the same without one. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium, type BrowserContextOptions, type Page } from "playwright-core";
import { expect, onTestFinished } from "vitest";
import { type Visit, visit } from "../oauth/browser.ts";
import { succeed, type World } from "../world.ts";

const CHROMIUM = "/usr/bin/chromium";
const FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];
export const isBrowserMissing = !existsSync(CHROMIUM) && process.env.JC_TEST_ALL_PARTS !== "1";

export interface Browser {
  page: Page;
  /** What the console said. */
  complaints: string[];
  /** Every address that was asked for. */
  asked: string[];
}

export async function browser(options: BrowserContextOptions = {}): Promise<Browser> {
  const started = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  onTestFinished(() => started.close());
  const page = await started.newPage({ viewport: { width: 1_000, height: 800 }, ...options });
  const [complaints, asked]: string[][] = [[], []];
  page.on("console", (message) => complaints?.push(`${message.location().url}: ${message.text()}`));
  page.on("request", (request) => asked?.push(request.url()));
  return { page, complaints: complaints ?? [], asked: asked ?? [] };
}

/** What the operator types; returns the link. */
export async function adminLink(world: World, ...flags: string[]): Promise<string> {
  return (await succeed(world, ["admin", "link", ...flags])).out.trim();
}

export async function signIn(page: Page, world: World, ...flags: string[]): Promise<void> {
  await page.goto(await adminLink(world, ...flags));
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL("**/admin/integrations");
}

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** Rules of WCAG 2.2 AA and of good practice that the page breaks. */
export async function violations(page: Page): Promise<string[]> {
  // By the debugger, which the page's policy does not bind.
  await page.evaluate(readFileSync(AXE, "utf8"));
  const found: unknown = await page.evaluate("axe.run().then(({ violations }) => violations)");
  return Array.isArray(found)
    ? found.map(
        (each) =>
          `${each.id}: ${JSON.stringify(each.nodes.map((node: { html: string; failureSummary: string }) => [node.html, node.failureSummary]))}`,
      )
    : ["axe told nothing"];
}

export async function photograph(page: Page, name: string): Promise<void> {
  if (process.env.JC_SCREENSHOTS)
    await page.screenshot({ path: join(process.env.JC_SCREENSHOTS, `admin-${name}.png`), fullPage: true });
}

/** Nothing stands beyond the window's edge. */
export async function expectFits(page: Page): Promise<void> {
  const wider = await page.evaluate(
    "document.documentElement.scrollWidth - document.documentElement.clientWidth",
  );
  expect(wider).toBe(0);
}

/** Without a browser: signed in by a link, with its cookie. */
export interface Caller {
  cookie: string;
  get(path: string, headers?: Record<string, string>): Promise<Visit>;
  post(path: string, fields: Record<string, string>, headers?: Record<string, string>): Promise<Visit>;
  /** The token that stands in the forms. */
  csrf: string;
}

export async function caller(adminUrl: string, link: string): Promise<Caller> {
  const secret = new URL(link).searchParams.get("link") ?? "";
  const signedIn = await postForm(`${adminUrl}/admin/sign-in`, { link: secret });
  const [kept = ""] = signedIn.headers["set-cookie"] ?? [];
  const cookie = kept.split(";")[0] ?? "";
  const get = (path: string, headers = {}) => visit(adminUrl + path, { headers: { cookie, ...headers } });
  const home = await get("/admin/integrations");
  const csrf = /name="csrf" value="([^"]+)"/.exec(home.body)?.[1] ?? "";
  return {
    cookie,
    get,
    csrf,
    post: (path, fields, headers = {}) =>
      postForm(adminUrl + path, { csrf, ...fields }, { cookie, ...headers }),
  };
}

export async function postForm(
  url: string,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Visit> {
  const body = new URLSearchParams(fields).toString();
  const { origin } = new URL(url);
  const type = "application/x-www-form-urlencoded";
  return await visit(url, { method: "POST", body, headers: { origin, "content-type": type, ...headers } });
}
