import { expect, test } from "vitest";
import { isFresh } from "../../src/oauth/token-set.ts";
import { secret } from "../../src/shared/secret.ts";

const MINUTE = 60_000;

/** Of accounts that differ by chance alone: whose token is still good enough after so many minutes of its thirty? */
function freshAfter(minutes: number): boolean[] {
  const set = {
    accessToken: secret("access"),
    refreshToken: secret("refresh"),
    expiresAt: 30 * MINUTE,
    obtainedAt: 0,
    refreshTokenAt: 0,
    scopes: [],
    clientId: "client",
    refreshBegunAt: null,
  };
  return [0, 0.25, 0.5, 0.75].map((jitter) => isFresh(set, minutes * MINUTE, jitter));
}

test("tokens of many accounts that began at once are renewed over a sixth of their life, at least five minutes ahead", () => {
  expect(freshAfter(20)).toEqual([true, true, true, true]);
  expect(freshAfter(22)).toEqual([true, true, true, false]);
  expect(freshAfter(23)).toEqual([true, true, false, false]);
  expect(freshAfter(24)).toEqual([true, false, false, false]);
  expect(freshAfter(25)).toEqual([false, false, false, false]);
});
