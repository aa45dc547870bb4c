import { describe, expect, test } from "vitest";
import { askForConsent, type ConsentRequest } from "../../src/oauth/consent/consent.ts";
import { exchangeCode } from "../../src/oauth/endpoint/exchange.ts";
import type { Grant, TokenIssuer } from "../../src/oauth/endpoint/issuer.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { AppError } from "../../src/shared/errors.ts";
import { secret } from "../../src/shared/secret.ts";
import { fakeClock } from "../fake-clock.ts";
import { follow, type Visit, visit } from "./browser.ts";
import { emulatedIssuer, issuerAt, SCOPES, testHttp } from "./world.ts";

/** Starts the flow against the emulator; `visits` is what the browser saw in the end. */
function startConsent(issuer: TokenIssuer, change: Partial<ConsentRequest<Grant>> = {}) {
  const http = testHttp();
  const visits: Promise<Visit>[] = [];
  const urls: string[] = [];
  const result = askForConsent(
    { clock: systemClock },
    {
      issuer,
      signal: new AbortController().signal,
      onUrl: (url) => urls.push(url),
      openBrowser: (url) => visits.push(follow(url)),
      redeem: (code) =>
        exchangeCode({ http, clock: systemClock }, { issuer, clientSecret: secret("right"), ...code }),
      ...change,
    },
  );
  return { result, visits, urls };
}

/** The redirect the vendor would send for this link. */
function redirectOf(url: string, answer: Record<string, string>): string {
  const asked = new URL(url).searchParams;
  const state = asked.get("state") ?? "";
  return `${asked.get("redirect_uri")}?${new URLSearchParams({ ...answer, state })}`;
}

describe("giving consent", () => {
  test("brings tokens, and the browser ends at a page that says so, with no code in its address", async () => {
    const { issuer } = await emulatedIssuer();
    const { result, visits } = startConsent(issuer);
    const grant = await result;
    const page = await visits[0];
    expect(grant.scopes).toEqual(SCOPES);
    expect(grant.refreshToken?.reveal()).toMatch(/./);
    expect(page?.body).toContain("HubSpot is connected");
    expect(page?.url).toMatch(/^http:\/\/localhost:\d+\/hubspot\/oauth-callback\/done$/);
  });

  test("asks for the scopes with %20 between them, a fresh state and an S256 challenge", async () => {
    const { issuer } = await emulatedIssuer();
    const { result, urls } = startConsent(issuer);
    await result;
    const query = new URL(urls[0] ?? "").searchParams;
    expect(urls[0]).toContain(`scope=${SCOPES.join("%20")}`);
    expect(query.get("state")).toMatch(/^[\w-]{43}$/);
    expect(query.get("code_challenge")).toMatch(/^[\w-]{43}$/);
    expect(query.get("code_challenge_method")).toBe("S256");
  });

  test("works without PKCE where that is turned off", async () => {
    const { emulator } = await emulatedIssuer();
    const { result, urls } = startConsent(issuerAt(emulator.hubspot, { pkce: false }));
    await expect(result).resolves.toMatchObject({ scopes: SCOPES });
    expect(urls[0]).not.toContain("code_challenge");
  });

  test("works by a pasted address when no browser can reach this machine", async () => {
    const { issuer } = await emulatedIssuer();
    const notices: string[] = [];
    let link = "";
    async function* typed() {
      yield "what do I do?\n";
      yield "http://localhost:1/hubspot/oauth-callback?code=x&state=another-attempt";
      const { headers } = await visit(link);
      yield ` ${headers.location} `;
    }
    const { result } = startConsent(issuer, {
      onUrl: (url) => {
        link = url;
      },
      openBrowser: () => Promise.reject(new Error("no display")),
      pastedLines: typed(),
      onNotice: (text) => notices.push(text),
    });
    await expect(result).resolves.toMatchObject({ scopes: SCOPES });
    expect(notices).toEqual([
      expect.stringContaining("That is no address"),
      expect.stringContaining("another attempt"),
    ]);
  });

  test("shows a failed exchange in the browser and raises it, without words from inside", async () => {
    const { issuer } = await emulatedIssuer();
    const { result, visits } = startConsent(issuer, {
      redeem: () => Promise.reject(new AppError("CONFIG_INVALID", "Wrong <secret>", { hint: "Set it" })),
    });
    await expect(result).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    const page = await visits[0];
    expect(page?.body).toContain("HubSpot was not connected");
    expect(page?.body).toContain("Wrong &#60;secret&#62;");
    expect(page?.body).toContain("jc-integrations connect hubspot");
  });
});

describe("consent that is not given", () => {
  const refusals = [
    ["access_denied", "The user denied access", "CANCELLED", "was denied"],
    ["access_denied", "You must be a super admin to install", "VENDOR_REJECTED", "administrator"],
    ["invalid_scope", "Unknown scope crm.x", "VENDOR_REJECTED", "refused the scopes"],
    ["forbidden", "This account is not on the allowlist", "VENDOR_REJECTED", "install the app"],
    ["invalid_client", "", "CONFIG_INVALID", "settings"],
    ["server_error", "", "VENDOR_UNAVAILABLE", "just now"],
    ["odd", "\u001b[31mred\u202e", "VENDOR_REJECTED", "(odd: [31mred)"],
  ] as const;

  test.each(refusals)("%s (%s) is %s", async (error, description, code, words) => {
    const { result } = startConsent(issuerAt("http://127.0.0.1:9"), {
      openBrowser: (url) => follow(redirectOf(url, { error, error_description: description })),
    });
    await expect(result).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
  });

  test("times out after five minutes, counting down by the second", async () => {
    const clock = fakeClock();
    const ticks: number[] = [];
    let isUp = () => {};
    const up = new Promise<void>((resolve) => {
      isUp = resolve;
    });
    const result = askForConsent(
      { clock },
      {
        issuer: issuerAt("http://127.0.0.1:9"),
        signal: new AbortController().signal,
        onUrl: () => isUp(),
        onTick: (left) => ticks.push(left),
        redeem: () => Promise.resolve("never"),
      },
    );
    const outcome = expect(result).rejects.toMatchObject({ code: "TIMED_OUT" });
    await up;
    await clock.advance(5 * 60_000);
    await outcome;
    expect(ticks.slice(0, 2)).toEqual([300, 299]);
    expect(ticks.at(-1)).toBe(1);
  });

  test("ends at once on Ctrl-C", async () => {
    const interrupt = new AbortController();
    const { result } = startConsent(issuerAt("http://127.0.0.1:9"), {
      signal: interrupt.signal,
      openBrowser: () => interrupt.abort(),
    });
    await expect(result).rejects.toMatchObject({ code: "CANCELLED" });
  });
});
