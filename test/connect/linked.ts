/** A world whose `serve` has a public address, and the ways of an admin who answers a link on another machine. */
import { expect } from "vitest";
import { type FakeClock, fakeClock } from "../fake-clock.ts";
import { type Visit, visit } from "../oauth/browser.ts";
import { freePort, prepared, succeed, until, type World, type WorldOptions } from "../world.ts";
import { approve as approveAtVendor, statusOf } from "./world.ts";

/** All is set for a link; nothing serves yet. */
export async function publicWorld(options: WorldOptions = {}): Promise<World> {
  return await prepared({ ...options, env: { ...(await publicAddress()), ...options.env } });
}

export async function publicWorldInTime(): Promise<{ world: World; clock: FakeClock }> {
  const clock = fakeClock();
  return { world: await publicWorld({ clock }), clock };
}

/** A consent page that leads to an IP address is refused by HubSpot, so the public name is `localhost`. */
export async function publicAddress(): Promise<Record<string, string>> {
  const port = await freePort();
  return { JC_SERVE_LISTEN: `127.0.0.1:${port}`, JC_SERVE_PUBLIC_URL: `http://localhost:${port}` };
}

/** What the operator types; returns the link. */
export async function linkFor(world: World, ...flags: string[]): Promise<string> {
  return (await succeed(world, ["connect", "hubspot", "--via-service", ...flags])).out.trim();
}

/** What only the link holds. */
export function secretIn(link: string): string {
  return new URL(link).searchParams.get("link") ?? "";
}

/** Where the vendor sends the browser back to: named by its own address, and the neighbour of a link's page. */
export function redirectUriIn(link: string): string {
  const { origin, pathname, searchParams } = new URL(link);
  return searchParams.get("redirect_uri") ?? origin + pathname.replace(/\/connect$/, "/oauth-callback");
}

/** The admin presses the link's button. Returns where they are led, and what their browser keeps. */
export async function press(link: string): Promise<{ url: string; cookie: string }> {
  const { origin } = new URL(link);
  const page = await visit(link, { method: "POST", headers: { origin } });
  const { location, "set-cookie": kept } = page.headers;
  if (page.status !== 303 || typeof location !== "string" || !Array.isArray(kept)) throw new NoButton(page);
  const cookie = kept[0]?.split(";")[0] ?? "";
  cookies.set(new URL(location).searchParams.get("state") ?? "", cookie);
  return { url: location, cookie };
}

/** The link leads to a page without a button. */
class NoButton extends Error {
  page: Visit;
  constructor(page: Visit) {
    super(`the link's page has no button: ${page.status}`);
    this.page = page;
  }
}

/** What browsers keep, by the state that they were sent to the vendor with. */
const cookies = new Map<string, string>();

/** Of the browser that was sent to the vendor with this state. */
export function cookieFor(url: string): { cookie?: string } {
  const cookie = cookies.get(new URL(url).searchParams.get("state") ?? "");
  return cookie === undefined ? {} : { cookie };
}

/** The admin presses the button and says yes. Returns where the browser is sent, with the code in it. */
export async function approve(link: string): Promise<string> {
  return await approveAtVendor((await press(link)).url);
}

/** What a page says, as a person reads it. */
export function wordsOf({ body }: Pick<Visit, "body">): string {
  return body
    .replace(/<style>.*?<\/style>/s, "")
    .replace(/<[^>]+>/g, " ")
    .replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code))
    .replace(/\s+/g, " ");
}

/** Every page: not kept, told to nobody, loading nothing, and without what came in its address. */
export function expectPrivate(page: Visit, ...secrets: string[]): Visit {
  expect(page.headers).toMatchObject({
    "cache-control": "no-store",
    "referrer-policy": expect.stringMatching(/^(no-referrer|same-origin)$/),
    "x-content-type-options": "nosniff",
    "content-security-policy": expect.stringContaining("default-src 'none'"),
  });
  for (const secret of secrets) expect(page.body).not.toContain(secret);
  return page;
}

/** The admin opens the link, presses its button and says yes; what their browser shows in the end. */
export async function answer(link: string): Promise<Visit> {
  try {
    return await open(await approve(link));
  } catch (error) {
    if (!(error instanceof NoButton)) throw error;
    return await open(link);
  }
}

/** The address that HubSpot sends the browser to, as an admin's browser opens it; it ends where no code is seen. */
export async function open(url: string): Promise<Visit> {
  const state = new URL(url).searchParams.get("state");
  const headers = cookieFor(url);
  const first = await visit(url, { headers });
  const { location } = first.headers;
  if (typeof location !== "string") return expectPrivate(first);
  expect(first).toMatchObject({ status: 303, headers: { "cache-control": "no-store" }, body: "" });
  const end = await visit(new URL(location, url).href, { headers });
  expect(end.url).not.toContain("?");
  return expectPrivate(end, state || "no state", headers.cookie?.split("=")[1] ?? "no cookie");
}

export async function expectConnected(world: World, ...flags: string[]): Promise<void> {
  expect(await statusOf(world, ...flags)).toMatchObject({ state: "connected" });
}

/** The link may still be answered, and brought nothing so far. */
export async function expectWaiting(world: World): Promise<void> {
  expect(await statusOf(world)).toMatchObject({ state: "waiting_for_consent", account: null });
}

/** HubSpot was asked to make a code good, and has not answered yet. */
export async function exchangeUnderWay(world: World): Promise<void> {
  await until("HubSpot is asked", async () =>
    (await world.portal.requests()).some(({ path }) => path === "/oauth/v3/token"),
  );
}

/** The operator knows the account that came by the link. */
export async function confirm(world: World, ...flags: string[]): Promise<void> {
  await succeed(world, ["connect", "hubspot", "--confirm", ...flags]);
}
