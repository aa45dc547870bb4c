import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { authorizeUrl, newAttempt } from "../../src/oauth/consent/authorize.ts";
import { exchangeCode } from "../../src/oauth/endpoint/exchange.ts";
import type { TokenIssuer } from "../../src/oauth/endpoint/issuer.ts";
import { createTokens } from "../../src/oauth/tokens.ts";
import { secret } from "../../src/shared/secret.ts";
import { type FakeClock, fakeClock } from "../fake-clock.ts";
import { open, vaultOptions } from "../vault/world.ts";
import { visit } from "./browser.ts";
import { controlOf, emulatedIssuer, issuerAt, testHttp } from "./world.ts";

const CONNECTION = "acme/hubspot/production";
const REDIRECT_URI = "http://localhost:8976/hubspot/oauth-callback";
const MINUTE = 60_000;

/** A connected portal on a clock of its own; `process()` is one more process with the same vault. */
async function connected(settings: { oneUseTokens?: boolean } = {}) {
  const clock = fakeClock();
  const { emulator, issuer } = await emulatedIssuer({ autoApprove: true, clock });
  const control = controlOf(emulator);
  await control.settings(settings);
  const http = testHttp();
  const options = vaultOptions({ clock });
  const process = (change: { issuer?: TokenIssuer; clientSecret?: string } = {}) => {
    const tokens = createTokens({ clock, http, vault: open(options) });
    const clientSecret = async () => secret(change.clientSecret ?? "right");
    const request = { connection: CONNECTION, issuer: change.issuer ?? issuer, clientSecret };
    const token = async (renewed?: boolean) => (await tokens.token({ ...request, renewed })).reveal();
    return { tokens, token };
  };
  const connect = async () => {
    const attempt = newAttempt(issuer.authorization);
    const { headers } = await visit(authorizeUrl(issuer.authorization, attempt, REDIRECT_URI));
    const code = new URL(String(headers.location)).searchParams.get("code") ?? "";
    const redeem = { code, verifier: attempt.verifier, redirectUri: REDIRECT_URI };
    const grant = await exchangeCode({ http, clock }, { issuer, clientSecret: secret("right"), ...redeem });
    return await process().tokens.keep(CONNECTION, issuer, grant);
  };
  const first = await connect();
  const callsBefore = await control.tokenCalls();
  const refreshes = async () => (await control.tokenCalls()) - callsBefore;
  return { clock, control, issuer, options, process, connect, refreshes, first: first.accessToken.reveal() };
}

/** For work that waits for a lock, in steps small enough for real answers to come in between. */
async function whileTimePasses<T>(clock: FakeClock, work: Promise<T>): Promise<T> {
  let isDone = false;
  const done = () => {
    isDone = true;
  };
  work.then(done, done);
  while (!isDone) await clock.advance(1);
  return await work;
}

describe("a live token", () => {
  test("is the kept one until it is about to expire, then a new one, for every process", async () => {
    const { clock, process, refreshes, first } = await connected();
    const [ours, theirs] = [process(), process()];
    await clock.advance(19 * MINUTE);
    expect([await ours.token(), await theirs.token(), await refreshes()]).toEqual([first, first, 0]);
    await clock.advance(6 * MINUTE);
    const renewed = await ours.token();
    expect(renewed).not.toBe(first);
    expect([await theirs.token(), await ours.token()]).toEqual([renewed, renewed]);
    expect(await refreshes()).toBe(1);
  });

  test("that was seen among others is not asked of the vault again until somebody writes there", async () => {
    const { clock, issuer, options, first, process } = await connected();
    const vault = open(options);
    let requests = 0;
    const read: typeof vault.read = (names) => {
      requests += 1;
      return vault.read(names);
    };
    const tokens = createTokens({ clock, http: testHttp(), vault: { ...vault, read } });
    const request = { connection: CONNECTION, issuer, clientSecret: async () => secret("right") };
    const seen = await tokens.peekAll([CONNECTION, "globex/hubspot/production"]);
    expect([...seen].map(([name, set]) => [name, set?.accessToken.reveal()])).toEqual([
      [CONNECTION, first],
      ["globex/hubspot/production", undefined],
    ]);
    expect([(await tokens.token(request)).reveal(), requests]).toEqual([first, 1]);
    const renewed = await process().token(true);
    expect([(await tokens.token(request)).reveal(), requests]).toEqual([renewed, 2]);
  });

  test("is refreshed once for all who ask at the same time", async () => {
    const { clock, process, refreshes } = await connected();
    const { token } = process();
    await clock.advance(28 * MINUTE);
    const answers = await Promise.all(Array.from({ length: 20 }, () => token()));
    expect(new Set(answers).size).toBe(1);
    expect(await refreshes()).toBe(1);
  });

  test("survives one-use refresh tokens over many lives", async () => {
    const { clock, process, refreshes } = await connected({ oneUseTokens: true });
    const { token } = process();
    const seen = new Set<string>();
    for (let life = 0; life < 5; life++) {
      await clock.advance(29 * MINUTE);
      seen.add(await token());
    }
    expect([seen.size, await refreshes()]).toEqual([5, 5]);
  });

  test("is renewed once for all who report the same refused token, and anew when the next is refused too", async () => {
    const { clock, process, refreshes, first } = await connected();
    const { token } = process();
    expect(await token()).toBe(first);
    const renewed = await token(true);
    expect(renewed).not.toBe(first);
    expect([await token(true), await refreshes()]).toEqual([renewed, 1]);
    await clock.advance(MINUTE);
    expect(await token(true)).not.toBe(renewed);
    expect(await refreshes()).toBe(2);
  });

  test("is taken over from another process that renewed the refused one meanwhile", async () => {
    const { clock, process, refreshes, first } = await connected();
    const [ours, theirs] = [process(), process()];
    expect([await ours.token(), await theirs.token()]).toEqual([first, first]);
    const both = Promise.all([theirs.token(true), ours.token(true)]);
    const [renewed, taken] = await whileTimePasses(clock, both);
    expect(taken).toBe(renewed);
    expect(renewed).not.toBe(first);
    expect(await refreshes()).toBe(1);
  });

  test("of a new consent replaces the old one in every process at once", async () => {
    const { process, connect, first } = await connected();
    const { token } = process();
    expect(await token()).toBe(first);
    const { accessToken } = await connect();
    expect(await token()).toBe(accessToken.reveal());
  });
});

describe("trouble on the way", () => {
  test("logs nobody out: the old token serves as long as it lives, with one try a minute", async () => {
    const { clock, control, process, refreshes, first } = await connected();
    const { token } = process();
    await control.fault({ status: 503, path: "/oauth" });
    await clock.advance(26 * MINUTE);
    expect([await token(), await token(), await token(), await refreshes()]).toEqual([
      first,
      first,
      first,
      1,
    ]);
    await clock.advance(MINUTE);
    expect([await token(), await refreshes()]).toEqual([first, 2]);
    await clock.advance(4 * MINUTE);
    await expect(token()).rejects.toMatchObject({ code: "VENDOR_UNAVAILABLE" });
    await expect(token()).rejects.toMatchObject({ code: "VENDOR_UNAVAILABLE" });
    expect(await refreshes()).toBe(3);
    await control.clearFaults();
    await clock.advance(MINUTE);
    expect(await token()).not.toBe(first);
  });

  test("a wrong client secret disconnects nobody either", async () => {
    const { clock, process, first } = await connected();
    const mistaken = process({ clientSecret: "wrong" });
    await clock.advance(26 * MINUTE);
    expect(await mistaken.token()).toBe(first);
    await clock.advance(5 * MINUTE);
    await expect(mistaken.token()).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      hint: expect.stringContaining("secrets set hubspot.client-secret"),
    });
    expect(await process().token()).not.toBe(first);
  });

  test("a changed client id is a matter of the configuration", async () => {
    const { clock, process, issuer } = await connected();
    const authorization = { ...issuer.authorization, clientId: "app-2" };
    await clock.advance(31 * MINUTE);
    await expect(process({ issuer: { ...issuer, authorization } }).token()).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      hint: expect.stringContaining("hubspot.client_id"),
    });
  });
});

describe("tokens that are dead", () => {
  test("ask for a reconnect, are kept all the same, and live again by a new consent", async () => {
    const { control, process, connect } = await connected();
    const { token, tokens } = process();
    await control.fault({ revoked: true });
    await expect(token(true)).rejects.toMatchObject({
      code: "RECONNECT_NEEDED",
      message: expect.stringMatching(/^acme\/hubspot\/production: HubSpot no longer accepts our tokens/),
      hint: "jc-integrations connect hubspot --org acme",
    });
    expect(await tokens.peek(CONNECTION)).toMatchObject({ refreshBegunAt: null });
    const { accessToken } = await connect();
    expect(await token()).toBe(accessToken.reveal());
  });

  test("say so when an earlier refresh was cut off, after one try with the old pair", async () => {
    const { clock, control, process } = await connected({ oneUseTokens: true });
    const { token, tokens } = process();
    await control.fault({ drop: true, path: "/oauth", times: 1 });
    await expect(token(true)).rejects.toMatchObject({ code: "VENDOR_UNAVAILABLE" });
    expect((await tokens.peek(CONNECTION))?.refreshBegunAt).toBe(clock.now());
    await clock.advance(MINUTE);
    await expect(token(true)).rejects.toMatchObject({
      code: "RECONNECT_NEEDED",
      message: expect.stringContaining("cut off"),
    });
  });

  test("are none where the vendor takes the old pair again after a cut", async () => {
    const { clock, control, process, first } = await connected();
    const { token, tokens } = process();
    await control.fault({ drop: true, path: "/oauth", times: 1 });
    await expect(token(true)).rejects.toMatchObject({ code: "VENDOR_UNAVAILABLE" });
    await clock.advance(MINUTE);
    expect(await token(true)).not.toBe(first);
    expect((await tokens.peek(CONNECTION))?.refreshBegunAt).toBe(null);
  });

  test("are absent before the first consent and after they were forgotten", async () => {
    const { process } = await connected();
    const { token, tokens } = process();
    await tokens.forget(CONNECTION);
    expect(await tokens.peek(CONNECTION)).toBe(null);
    await expect(token()).rejects.toMatchObject({
      code: "RECONNECT_NEEDED",
      message: "acme/hubspot/production is not connected",
    });
  });
});

test("a new pair that the vault could not take is kept as soon as it can, without another call", async () => {
  const clock = fakeClock();
  const options = vaultOptions({ clock });
  const blocker = new Database(join(options.stateDir, "vault.db"));
  onTestFinished(() => void blocker.close());
  let calls = 0;
  const endpoint = createServer((_request, response) => {
    calls++;
    blocker.exec("begin exclusive");
    response.end(JSON.stringify({ access_token: `new-${calls}`, refresh_token: "r2", expires_in: 1800 }));
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void endpoint.close());
  await once(endpoint, "listening");
  const address = endpoint.address();
  const port = typeof address === "object" ? address?.port : 0;
  const issuer = issuerAt(`http://127.0.0.1:${port}`);
  const tokens = createTokens({ clock, http: testHttp(), vault: open(options) });
  await tokens.keep(CONNECTION, issuer, {
    accessToken: secret("old"),
    refreshToken: secret("r1"),
    expiresAt: clock.now() + 30 * MINUTE,
    scopes: [],
    accountId: null,
  });
  const request = { connection: CONNECTION, issuer, clientSecret: async () => secret("right") };
  await clock.advance(31 * MINUTE);
  await expect(tokens.token(request)).rejects.toMatchObject({ code: "VAULT_UNAVAILABLE" });
  blocker.exec("rollback");
  await clock.advance(MINUTE);
  expect((await tokens.token(request)).reveal()).toBe("new-1");
  expect((await tokens.peek(CONNECTION))?.refreshToken?.reveal()).toBe("r2");
  expect(calls).toBe(1);
});
