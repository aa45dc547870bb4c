/** Clocks that differ from the vendor's, and a token endpoint that does not behave. */
import { UNCOUNTED } from "../../src/flows/account/rate-window.ts";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { authorizeUrl, newAttempt } from "../../src/oauth/consent/authorize.ts";
import { exchangeCode } from "../../src/oauth/endpoint/exchange.ts";
import { createTokens } from "../../src/oauth/tokens.ts";
import type { Clock } from "../../src/shared/clock.ts";
import { isAppError } from "../../src/shared/errors.ts";
import type { Http } from "../../src/shared/http.ts";
import { secret } from "../../src/shared/secret.ts";
import { createHubspot } from "../../src/vendors/hubspot/hubspot.ts";
import { pushesOf } from "../deliver/commands.ts";
import { serving } from "../daemon/serving.ts";
import { fakeClock } from "../fake-clock.ts";
import { open, vaultOptions } from "../vault/world.ts";
import { connected, invite, until } from "../world.ts";
import { visit } from "./browser.ts";
import { controlOf, emulatedIssuer, issuerAt, testHttp } from "./world.ts";

const CONNECTION = "acme/hubspot/production";
const REDIRECT_URI = "http://localhost:8976/hubspot/oauth-callback";
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A login at a vendor whose clock is not ours, and calls to its API that use it. */
async function withOwnClock(settings: { oneUseTokens?: boolean } = {}) {
  const vendors = fakeClock();
  let aheadMs = 0;
  let patienceMs: number | null = null;
  const ours: Clock = { ...vendors, now: () => vendors.now() + aheadMs };
  // A vendor that is late is so in real time, as our own patience is.
  const { emulator, issuer } = await emulatedIssuer({
    autoApprove: true,
    clock: { ...vendors, sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) },
  });
  const control = controlOf(emulator);
  await control.settings(settings);
  const real = testHttp();
  const http: Http = {
    ...real,
    request: (call) =>
      real.request(patienceMs !== null && call.form ? { timeoutMs: patienceMs, ...call } : call),
  };
  const options = vaultOptions({ clock: ours });
  const hubspot = createHubspot(
    {
      apiBase: emulator.hubspot,
      authorizeUrl: issuer.authorization.authorizeUrl,
      apiVersion: "v3",
      clientId: "app-1",
      pkce: true,
      redirectPort: 8976,
      resultBase: "https://jobcannon.io",
      tier: "none",
    },
    http,
    ours,
  );
  const process = () => {
    const tokens = createTokens({ clock: ours, http, vault: open(options) });
    const clientSecret = async () => secret("right");
    const request = { connection: CONNECTION, issuer, clientSecret };
    return {
      tokens,
      /** One call to the account, as any part of the program makes it: the portal it reached. */
      call: async () => {
        const { id } = await hubspot.account({
          signal: new AbortController().signal,
          token: (renewal) => tokens.token({ ...request, renewed: renewal?.renewed }),
          slot: async () => UNCOUNTED,
          heed: async () => {},
        });
        return id;
      },
    };
  };
  const attempt = newAttempt(issuer.authorization);
  const { headers } = await visit(authorizeUrl(issuer.authorization, attempt, REDIRECT_URI));
  const code = new URL(String(headers.location)).searchParams.get("code") ?? "";
  const redeem = { code, verifier: attempt.verifier, redirectUri: REDIRECT_URI };
  const deps = { http: real, clock: ours };
  const grant = await exchangeCode(deps, { issuer, clientSecret: secret("right"), ...redeem });
  await process().tokens.keep(CONNECTION, issuer, grant);
  const before = await control.tokenCalls();
  return {
    control,
    process,
    refreshes: async () => (await control.tokenCalls()) - before,
    /** Puts our clock forth or back; the vendor's goes on as it was. */
    setAhead: (ms: number) => {
      aheadMs = ms;
    },
    pass: (ms: number) => vendors.advance(ms),
    /** How long our side waits for the token endpoint, in real time; null is as long as usual. */
    setPatience: (ms: number | null) => {
      patienceMs = ms;
    },
  };
}

describe("a clock that is not the vendor's", () => {
  test.each([
    ["an hour ahead", HOUR],
    ["an hour behind", -HOUR],
  ])(
    "and goes %s in the middle of a token's life logs nobody out, and costs one refresh a life at most",
    async (_what, ms) => {
      const { process, refreshes, setAhead, pass } = await withOwnClock();
      const processes = [process(), process()];
      for (const { call } of processes) await call();
      setAhead(ms);
      for (let minute = 0; minute < 180; minute += 5) {
        await pass(5 * MINUTE);
        for (const { call } of processes) expect(await call()).toBe("8480001");
      }
      // Lives of 30 minutes, renewed a few minutes ahead or when the vendor says so.
      expect(await refreshes()).toBeGreaterThanOrEqual(5);
      expect(await refreshes()).toBeLessThanOrEqual(9);
    },
  );

  test("and is put back an hour behind a failed refresh tries again all the same", async () => {
    const { control, process, refreshes, setAhead, pass } = await withOwnClock();
    const { call } = process();
    setAhead(HOUR);
    await control.fault({ status: 503, path: "/oauth" });
    await expect(call()).rejects.toMatchObject({ code: "VENDOR_UNAVAILABLE" });
    await control.clearFaults();
    setAhead(0);
    await pass(31 * MINUTE);
    expect(await call()).toBe("8480001");
    expect(await refreshes()).toBe(2);
  });

  test("and is put back an hour right behind a renewal renews again when the vendor refuses", async () => {
    const { control, process, refreshes, setAhead, pass } = await withOwnClock();
    const { call } = process();
    setAhead(HOUR);
    await control.fault({ status: 401, path: "/account-info", times: 1 });
    await call();
    const renewed = await refreshes();
    setAhead(0);
    await pass(31 * MINUTE);
    expect(await call()).toBe("8480001");
    expect(await refreshes()).toBe(renewed + 1);
  });
});

test("a machine that slept for eight hours refreshes once, whatever waits, and delivers all of it", async () => {
  const clock = fakeClock();
  const world = await connected({ clock });
  const { post, get } = await serving(world);
  expect((await post(invite())).status).toBe(202);
  await until("it is delivered", async () => (await pushesOf(world)).delivered === 1);
  const tokenCalls = () => controlOf(world.emulator).tokenCalls();
  const before = await tokenCalls();
  clock.jump(clock.now() + 8 * HOUR);
  const posted = await Promise.all(Array.from({ length: 40 }, () => post(invite())));
  for (const { status } of posted) expect(status).toBe(202);
  await until("all are delivered", async () => {
    await clock.advance(1_000);
    await get("/healthz");
    return (await pushesOf(world)).delivered === 41;
  });
  expect((await tokenCalls()) - before).toBe(1);
  expect((await world.run(["status"])).code).toBe(0);
});

describe("a token endpoint that answers", () => {
  test("later than we wait disconnects nobody: the old token serves, and the next try brings the new one", async () => {
    const { control, process, refreshes, pass, setPatience } = await withOwnClock();
    const { call } = process();
    setPatience(150);
    await control.fault({ delayMs: 600, path: "/oauth/v3/token", times: 2 });
    await pass(26 * MINUTE);
    for (let calls = 0; calls < 5; calls += 1) expect(await call()).toBe("8480001");
    await pass(5 * MINUTE);
    await expect(call()).rejects.toMatchObject({ code: "VENDOR_UNAVAILABLE" });
    await expect(call()).rejects.toMatchObject({ code: "VENDOR_UNAVAILABLE" });
    await pass(MINUTE);
    setPatience(null);
    expect(await call()).toBe("8480001");
    expect(await refreshes()).toBe(3);
  });

  test("with a page instead of tokens, whatever its status, disconnects nobody", async () => {
    const { control, process, refreshes, pass } = await withOwnClock({ oneUseTokens: true });
    const { call } = process();
    await pass(31 * MINUTE);
    for (const [tries, status] of [200, 302, 400, 401, 403, 502].entries()) {
      await control.fault({ status, body: "<html>Sign in to the network</html>", path: "/oauth", times: 1 });
      const error: unknown = await call().catch((caught: unknown) => caught);
      expect([status, isAppError(error, "VENDOR_UNAVAILABLE")]).toEqual([status, true]);
      await expect(call()).rejects.toMatchObject({ code: "VENDOR_UNAVAILABLE" });
      expect(await refreshes()).toBe(tries + 1);
      await pass(MINUTE);
    }
    expect(await call()).toBe("8480001");
  });

  test("twice to one question is heard once, and its second answer is no answer to the next", async () => {
    let asked = 0;
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", (data) => {
        if (!data.toString().includes("refresh_token=")) return;
        asked += 1;
        const answer = (name: string) => {
          const body = JSON.stringify({ access_token: name, refresh_token: `r-${name}`, expires_in: 1800 });
          return `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
        };
        socket.write(answer(`first-${asked}`) + answer(`second-${asked}`));
      });
    }).listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const address = server.address();
    const issuer = issuerAt(`http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`);
    const clock = fakeClock();
    const tokens = createTokens({ clock, http: testHttp(), vault: open(vaultOptions({ clock })) });
    const old = { accessToken: secret("old"), refreshToken: secret("r-old"), scopes: [], accountId: null };
    await tokens.keep(CONNECTION, issuer, { ...old, expiresAt: clock.now() + 30 * MINUTE });
    for (const life of [1, 2, 3]) {
      await clock.advance(31 * MINUTE);
      const request = { connection: CONNECTION, issuer, clientSecret: async () => secret("right") };
      expect((await tokens.token(request)).reveal()).toBe(`first-${life}`);
      expect(asked).toBe(life);
    }
  });
});
