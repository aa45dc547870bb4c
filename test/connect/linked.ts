/** A world whose `serve` has a public address, and the ways of an admin who answers a link on another machine. */
import { expect } from "vitest";
import { type FakeClock, fakeClock } from "../fake-clock.ts";
import { follow, type Visit, visit } from "../oauth/browser.ts";
import { freePort, prepared, succeed, until, type World, type WorldOptions } from "../world.ts";
import { statusOf } from "./world.ts";

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

export function stateIn(link: string): string {
  return new URL(link).searchParams.get("state") ?? "";
}

export function redirectUriIn(link: string): string {
  return new URL(link).searchParams.get("redirect_uri") ?? "";
}

/** What a page says, as a person reads it. */
export function wordsOf({ body }: Pick<Visit, "body">): string {
  return body
    .replace(/<style>.*?<\/style>/s, "")
    .replace(/<[^>]+>/g, " ")
    .replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code))
    .replace(/\s+/g, " ");
}

/** Every page of the callback: not kept, told to nobody, loading nothing, and without what came in its address. */
export function expectPrivate(page: Visit, ...secrets: string[]): void {
  expect(page.headers).toMatchObject({
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "content-security-policy": expect.stringContaining("default-src 'none'"),
  });
  for (const secret of secrets) expect(page.body).not.toContain(secret);
}

/** The admin opens the link and says yes; what their browser shows in the end. */
export async function answer(link: string): Promise<Visit> {
  const page = await follow(link);
  expectPrivate(page, stateIn(link), new URL(page.url).searchParams.get("code") ?? stateIn(link));
  return page;
}

/** The address that HubSpot sends the browser to, as an admin's browser opens it. */
export async function open(url: string): Promise<Visit> {
  const page = await visit(url);
  expectPrivate(page, new URL(url).searchParams.get("state") || "no state");
  return page;
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
