/** Processes that share a login, of which one is killed in the middle of its refresh, again and again. */
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
const [ROUNDS, LANES, PROCESSES] = [36, 4, 3];

/**
 * The moments of a kill, each met as often as the others: somewhere before the call, while the vendor has a new pair
 * and has not sent it, and somewhere behind its answer.
 */
const MOMENTS = ["before", "during", "behind"] as const;

interface Kill {
  moment: (typeof MOMENTS)[number];
  /** Behind the moment's begin; what it falls into differs from one machine to the other. */
  delayMs: number;
}

const KILLS: Kill[] = Array.from({ length: ROUNDS }, (_, round) => ({
  moment: MOMENTS[round % MOMENTS.length] ?? "before",
  delayMs: Math.floor(round / MOMENTS.length) % 8,
}));

interface Lane {
  /** How often a kill fell between the vendor's answer and our commit, by what the vendor and the vault say. */
  cut: number;
  /** Logins that a new consent had to mend, each with the words of those who met it. */
  lost: string[][];
  /** Rounds in which the vendor gave a new pair at once. */
  refreshed: number;
}

/** Holds back what the vendor says to a refresh. */
function createGate() {
  let [hasAnswer, open] = [() => {}, () => {}];
  const answering = new Promise<void>((resolve) => {
    hasAnswer = resolve;
  });
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return {
    /** The vendor has a new pair, which nobody holds yet. */
    answering,
    open,
    pass: async () => {
      hasAnswer();
      await opened;
    },
  };
}

/** One login shared by three processes, at a vendor of its own, for so many rounds. */
async function openLane(file: string, settings: { oneUseTokens: boolean }) {
  let [aheadMs, gate] = [0, createGate()];
  gate.open();
  const now = () => systemClock.now() + aheadMs;
  const { emulator, issuer } = await emulatedIssuer({
    autoApprove: true,
    clock: { ...systemClock, now, sleep: () => gate.pass() },
  });
  const control = controlOf(emulator);
  await control.settings(settings);
  await control.fault({ delayMs: 1, path: TOKEN_PATH, match: "refresh_token" });
  const options = vaultOptions();
  const [http, clock] = [testHttp(), { ...systemClock, now }];
  const tokens = createTokens({ clock, http, vault: open(options) });
  return {
    connect: async () => {
      const attempt = newAttempt(issuer.authorization);
      const { headers } = await visit(authorizeUrl(issuer.authorization, attempt, REDIRECT_URI));
      const code = new URL(String(headers.location)).searchParams.get("code") ?? "";
      const redeem = { code, verifier: attempt.verifier, redirectUri: REDIRECT_URI };
      const grant = await exchangeCode({ http, clock }, { issuer, clientSecret: secret("right"), ...redeem });
      await tokens.keep(CONNECTION, issuer, grant);
    },
    kept: async () => (await tokens.peek(CONNECTION))?.accessToken.reveal(),
    statuses: async () =>
      (await control.requests({ from: TOKEN_PATH, to: TOKEN_PATH })).map(({ status }) => status),
    launch: async () => {
      const process = start(file, { options, connection: CONNECTION, issuer });
      expect(await nextLine(process)).toBe("ready");
      return process;
    },
    /** The token is over for everybody; the vendor's next answer waits behind the gate. */
    expire: () => {
      aheadMs += ROUND_MS;
      gate = createGate();
      return { aheadMs, gate };
    },
  };
}

/** The one that got hold of the refresh, killed at that moment; what the others said in the end. */
async function killHolder(
  processes: readonly Running[],
  { aheadMs, gate }: { aheadMs: number; gate: ReturnType<typeof createGate> },
  { moment, delayMs }: Kill,
): Promise<{ survivors: Running[]; answers: string[] }> {
  for (const { child } of processes) child.stdin?.write(`${aheadMs}\n`);
  const lines = processes.map((process) => ({ process, line: nextLine(process) }));
  const holder = await Promise.any(
    lines.map(async ({ process, line }) => {
      if ((await line) !== "refreshing") throw new Error(`it did not refresh: ${await line}`);
      return process;
    }),
  );
  if (moment !== "before") await gate.answering;
  if (moment === "behind") gate.open();
  if (moment !== "during") await systemClock.sleep(delayMs);
  await kill(holder);
  gate.open();
  const survivors = lines.filter(({ process }) => process !== holder);
  const answers = survivors.map(async ({ process, line }) =>
    (await line) === "refreshing" ? await nextLine(process) : await line,
  );
  return { survivors: survivors.map(({ process }) => process), answers: await Promise.all(answers) };
}

async function runLane(file: string, kills: readonly Kill[], settings: { oneUseTokens: boolean }) {
  const { connect, kept, statuses, launch, expire } = await openLane(file, settings);
  await connect();
  const lane: Lane = { cut: 0, lost: [], refreshed: 0 };
  let processes = await Promise.all(Array.from({ length: PROCESSES }, launch));
  for (const each of kills) {
    const [before, asked] = [await kept(), (await statuses()).length];
    const { survivors, answers } = await killHolder(processes, expire(), each);
    const [first, ...others] = (await statuses()).slice(asked);
    if (first === 200 && others.length > 0) lane.cut += 1;
    if ((await kept()) === before) {
      lane.lost.push(answers);
      await connect();
    } else {
      lane.refreshed += 1;
      expect(new Set(answers)).toEqual(new Set([await kept()]));
    }
    processes = [...survivors, await launch()];
  }
  await Promise.all(processes.map(kill));
  return lane;
}

async function runLanes(settings: { oneUseTokens: boolean }): Promise<Lane> {
  const file = await bundled(new URL("needs-tokens.ts", import.meta.url));
  const lanes = await Promise.all(
    Array.from({ length: LANES }, (_, lane) =>
      runLane(
        file,
        KILLS.filter((_, round) => round % LANES === lane),
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

test(`${ROUNDS} kills in the middle of a refresh lose no login where refresh tokens can be used again`, async () => {
  const { cut, lost, refreshed } = await runLanes({ oneUseTokens: false });
  expect(lost).toEqual([]);
  expect(refreshed).toBe(ROUNDS);
  // Kills did fall where they could have hurt.
  expect(cut).toBeGreaterThanOrEqual(ROUNDS / MOMENTS.length);
});

test("with one-use refresh tokens they lose those alone whose new pair was given and not yet kept, and each says so", async () => {
  const { cut, lost, refreshed } = await runLanes({ oneUseTokens: true });
  expect(lost).toHaveLength(cut);
  expect(refreshed).toBe(ROUNDS - cut);
  expect(cut).toBeGreaterThanOrEqual(ROUNDS / MOMENTS.length);
  for (const answer of lost.flat()) {
    expect(answer).toMatch(/^RECONNECT_NEEDED /);
    expect(answer).toContain("An earlier refresh was cut off before its new tokens were kept");
  }
});
