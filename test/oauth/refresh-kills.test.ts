/** Processes that share a login, of which one is killed in the middle of its refresh, again and again. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { authorizeUrl, newAttempt } from "../../src/oauth/consent/authorize.ts";
import { exchangeCode } from "../../src/oauth/endpoint/exchange.ts";
import { createTokens } from "../../src/oauth/tokens.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { secret } from "../../src/shared/secret.ts";
import { bundled, kill, nextLine, type Running, start } from "../vault/processes.ts";
import { open, vaultOptions } from "../vault/world.ts";
import { visit } from "./browser.ts";
import { controlOf, emulatedIssuer, testHttp, TOKEN_PATH } from "./world.ts";

const CONNECTION = "acme/hubspot/production";
const REDIRECT_URI = "http://localhost:8976/hubspot/oauth-callback";
/** Longer than a token lives. */
const ROUND_MS = 31 * 60_000;
const [ROUNDS, LANES, PROCESSES] = [200, 8, 3];

interface Lane {
  /** How often a kill fell between the vendor's answer and our commit, by what the vendor and the vault say. */
  cut: number;
  /** Logins that a new consent had to mend, each with the words of those who met it. */
  lost: string[][];
  /** Rounds in which the vendor gave a new pair at once. */
  refreshed: number;
}

/** One login shared by three processes, at a vendor of its own, for so many rounds. */
async function runLane(file: string, delays: readonly number[], settings: object): Promise<Lane> {
  let aheadMs = 0;
  const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
  const { emulator, issuer } = await emulatedIssuer({ autoApprove: true, clock });
  const control = controlOf(emulator);
  await control.settings(settings);
  // Time for the kill to fall before, into and behind the vendor's answer.
  await control.fault({ delayMs: 8, path: TOKEN_PATH, match: "refresh_token" });
  const options = vaultOptions();
  const http = testHttp();
  const tokens = createTokens({ clock, http, vault: open(options) });
  const connect = async () => {
    const attempt = newAttempt(issuer.authorization);
    const { headers } = await visit(authorizeUrl(issuer.authorization, attempt, REDIRECT_URI));
    const code = new URL(String(headers.location)).searchParams.get("code") ?? "";
    const redeem = { code, verifier: attempt.verifier, redirectUri: REDIRECT_URI };
    const grant = await exchangeCode({ http, clock }, { issuer, clientSecret: secret("right"), ...redeem });
    await tokens.keep(CONNECTION, issuer, grant);
  };
  const kept = async () => (await tokens.peek(CONNECTION))?.accessToken.reveal();
  const refreshStatuses = async () => {
    const calls = await control.requests({ from: TOKEN_PATH, to: TOKEN_PATH });
    return calls.map(({ status }) => status);
  };
  const launch = async () => {
    const process = start(file, { options, connection: CONNECTION, issuer });
    expect(await nextLine(process)).toBe("ready");
    return process;
  };

  await connect();
  const lane: Lane = { cut: 0, lost: [], refreshed: 0 };
  let processes = await Promise.all(Array.from({ length: PROCESSES }, launch));
  for (const delayMs of delays) {
    aheadMs += ROUND_MS;
    const [before, asked] = [await kept(), (await refreshStatuses()).length];
    for (const { child } of processes) child.stdin?.write(`${aheadMs}\n`);
    const lines = processes.map((process) => ({ process, line: nextLine(process) }));
    const holder = await Promise.race(
      lines.map(async ({ process, line }) =>
        (await line) === "refreshing" ? process : new Promise<Running>(() => {}),
      ),
    );
    await systemClock.sleep(delayMs);
    await kill(holder);
    const survivors = lines.filter(({ process }) => process !== holder);
    const answers = await Promise.all(
      survivors.map(async ({ process, line }) => {
        const said = await line;
        return said === "refreshing" ? await nextLine(process) : said;
      }),
    );
    const statuses = (await refreshStatuses()).slice(asked);
    const isCut = statuses[0] === 200 && statuses.length > 1;
    const isLost = (await kept()) === before;
    if (isCut) lane.cut += 1;
    if (isLost) {
      lane.lost.push(answers);
      await connect();
    } else {
      lane.refreshed += 1;
      expect(new Set(answers)).toEqual(new Set([await kept()]));
    }
    processes = [...survivors.map(({ process }) => process), await launch()];
  }
  await Promise.all(processes.map(kill));
  return lane;
}

async function runLanes(settings: object): Promise<Lane> {
  const file = await bundled(new URL("needs-tokens.ts", import.meta.url));
  const delays = fc.sample(fc.integer({ min: 0, max: 24 }), { numRuns: ROUNDS, seed: 7 });
  const lanes = await Promise.all(
    Array.from({ length: LANES }, (_, lane) =>
      runLane(
        file,
        delays.filter((_, round) => round % LANES === lane),
        settings,
      ),
    ),
  );
  return {
    cut: lanes.reduce((total, { cut }) => total + cut, 0),
    lost: lanes.flatMap(({ lost }) => lost),
    refreshed: lanes.reduce((total, { refreshed }) => total + refreshed, 0),
  };
}

test("200 kills in the middle of a refresh lose no login where refresh tokens can be used again", {
  timeout: 120_000,
}, async () => {
  const { cut, lost, refreshed } = await runLanes({ oneUseTokens: false });
  expect(lost).toEqual([]);
  expect(refreshed).toBe(ROUNDS);
  // Kills did fall where they could have hurt.
  expect(cut).toBeGreaterThan(10);
});

test("with one-use refresh tokens they lose those alone whose new pair was given and not yet kept, and each says so", {
  timeout: 120_000,
}, async () => {
  const { cut, lost, refreshed } = await runLanes({ oneUseTokens: true });
  expect(lost).toHaveLength(cut);
  expect(refreshed).toBe(ROUNDS - cut);
  expect(cut).toBeGreaterThan(10);
  for (const answer of lost.flat()) {
    expect(answer).toMatch(/^RECONNECT_NEEDED /);
    expect(answer).toContain("An earlier refresh was cut off before its new tokens were kept");
  }
});
