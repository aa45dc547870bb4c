import { expect, test } from "vitest";
import { createTokens } from "../../src/oauth/tokens.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { secret } from "../../src/shared/secret.ts";
import { bundled, kill, nextLine, start } from "../vault/processes.ts";
import { open, vaultOptions } from "../vault/world.ts";
import { startRotatingEndpoint } from "./rotating-endpoint.ts";
import { issuerAt, testHttp } from "./world.ts";

const CONNECTION = "acme/hubspot/production";
/** Far below the minute for which a lock is waited for. */
const PATIENCE_MS = 20_000;
const NEED_TOKEN = new URL("need-token.ts", import.meta.url);

/** Tokens that have just expired, and what another process needs to know to use them. */
async function expiredTokens(url: string) {
  const issuer = issuerAt(url);
  const options = vaultOptions();
  const tokens = createTokens({ clock: systemClock, http: testHttp(), vault: open(options) });
  await tokens.keep(CONNECTION, issuer, {
    accessToken: secret("a0"),
    refreshToken: secret("r0"),
    expiresAt: systemClock.now() - 1_000,
    scopes: [],
    accountId: null,
  });
  return { tokens, issuer, argument: { options, connection: CONNECTION, issuer } };
}

test("eight processes that need a refresh at once make one, and all go on with its token", async () => {
  const endpoint = await startRotatingEndpoint();
  const { argument } = await expiredTokens(endpoint.url);
  const file = await bundled(NEED_TOKEN);
  const processes = Array.from({ length: 8 }, () => start(file, argument));
  expect(await Promise.all(processes.map(nextLine))).toEqual(Array(8).fill("ready"));
  for (const { child } of processes) child.stdin?.write("now\n");
  expect(await Promise.all(processes.map(nextLine))).toEqual(Array(8).fill("a1"));
  expect(endpoint.calls()).toBe(1);
});

test("a process killed in the middle of a refresh leaves its mark, and the next one goes on at once", async () => {
  const endpoint = await startRotatingEndpoint(1);
  const { tokens, issuer, argument } = await expiredTokens(endpoint.url);
  const victim = start(await bundled(NEED_TOKEN), argument);
  expect(await nextLine(victim)).toBe("ready");
  victim.child.stdin?.write("now\n");
  await endpoint.firstCall;
  await kill(victim);
  expect((await tokens.peek(CONNECTION))?.refreshBegunAt).toBeGreaterThan(0);
  const startedAt = performance.now();
  const token = await tokens.token({
    connection: CONNECTION,
    issuer,
    clientSecret: async () => secret("right"),
  });
  expect(token.reveal()).toBe("a2");
  expect(performance.now() - startedAt).toBeLessThan(PATIENCE_MS);
  expect((await tokens.peek(CONNECTION))?.refreshBegunAt).toBe(null);
});
