import { describe, expect, onTestFinished, test } from "vitest";
import { startEmulator } from "../../src/emulator/emulator.ts";
import { fakeClock } from "../fake-clock.ts";
import { type App, connect, emulator, post, refreshForm } from "./client.ts";
import { emulated } from "../emulated.ts";

const start = Date.UTC(2026, 10, 22, 12);

function call({ api }: App) {
  return api("GET", "/account-info/v3/details");
}

async function statuses(app: App, count: number): Promise<number[]> {
  const answers = [];
  for (let index = 0; index < count; index++) answers.push((await call(app)).status);
  return answers;
}

describe("the rolling window", () => {
  test("admits 110 calls in ten seconds unless told otherwise", async () => {
    const clock = fakeClock(start);
    const started = await startEmulator({ clock, autoApprove: true });
    onTestFinished(() => started.close());
    const app = await connect(started);
    const answers = await statuses(app, 111);
    expect(answers.filter((status) => status === 200)).toHaveLength(110);
    expect(answers.at(-1)).toBe(429);
  });

  test("slides by the exact time of each call", async () => {
    const clock = fakeClock(start);
    const app = await connect(await emulator({ clock, hubspotLimit: "2/10s" }));
    expect(await statuses(app, 1)).toEqual([200]);
    clock.jump(start + 6_000);
    expect(await statuses(app, 2)).toEqual([200, 429]);
    clock.jump(start + 9_999);
    expect(await statuses(app, 1)).toEqual([429]);
    clock.jump(start + 10_000);
    expect(await statuses(app, 2)).toEqual([200, 429]);
    clock.jump(start + 16_000);
    expect(await statuses(app, 2)).toEqual([200, 429]);
  });

  test("is told in headers, and refused without Retry-After", async () => {
    const app = await connect(await emulator({ hubspotLimit: "2/10s", clock: fakeClock() }));
    const first = await call(app);
    expect(first.headers.get("x-hubspot-ratelimit-max")).toBe("2");
    expect(first.headers.get("x-hubspot-ratelimit-remaining")).toBe("1");
    expect(first.headers.get("x-hubspot-ratelimit-interval-milliseconds")).toBe("10000");
    await call(app);
    const refused = await call(app);
    expect(refused).toMatchObject({
      status: 429,
      body: { status: "error", errorType: "RATE_LIMIT", policyName: "TEN_SECONDLY_ROLLING" },
    });
    expect(refused.headers.get("retry-after")).toBeNull();
    expect(refused.headers.get("x-hubspot-ratelimit-remaining")).toBe("0");
  });

  test("belongs to the portal, whoever calls", async () => {
    const started = await emulator({ hubspotLimit: "1/10s", clock: fakeClock() });
    const here = await connect(started);
    const alsoHere = await connect(started);
    await emulated(started).hubspot.settings({ portalId: 2 });
    const elsewhere = await connect(started);
    expect((await call(here)).status).toBe(200);
    expect((await call(alsoHere)).status).toBe(429);
    expect((await call(elsewhere)).status).toBe(200);
  });

  test("does not count token calls or calls without a token", async () => {
    const started = await emulator({ hubspotLimit: "1/10s", clock: fakeClock() });
    const app = await connect(started);
    await post(`${started.hubspot}/oauth/v3/token`, refreshForm(app.refreshToken));
    await fetch(`${started.hubspot}/account-info/v3/details`);
    expect((await call(app)).status).toBe(200);
  });

  test("with none there is no limit and no header", async () => {
    const app = await connect(await emulator({ hubspotLimit: "none", clock: fakeClock() }));
    expect(new Set(await statuses(app, 150))).toEqual(new Set([200]));
    expect((await call(app)).headers.get("x-hubspot-ratelimit-max")).toBeNull();
  });

  test.each(["fast", "100", "0/0s", "100/10"])(
    "the limit %s is refused at the start",
    async (hubspotLimit) => {
      await expect(emulator({ hubspotLimit })).rejects.toMatchObject({ code: "USAGE" });
    },
  );
});

describe("the rate limit fault", () => {
  test.each([
    ["2/10s", "TEN_SECONDLY_ROLLING"],
    ["2/1s", "SECONDLY"],
    ["2/1d", "DAILY"],
  ])(
    "%s takes the place of the usual limit as %s, until the faults are cleared",
    async (rateLimit, policyName) => {
      const started = await emulator({ clock: fakeClock() });
      const app = await connect(started);
      await emulated(started).hubspot.fault({ rateLimit });
      expect(await statuses(app, 2)).toEqual([200, 200]);
      expect(await call(app)).toMatchObject({ status: 429, body: { policyName } });
      await emulated(started).hubspot.clearFaults();
      expect(await statuses(app, 1)).toEqual([200]);
    },
  );

  test("with times ends after so many refusals", async () => {
    const started = await emulator({ clock: fakeClock() });
    const app = await connect(started);
    await emulated(started).hubspot.fault({ rateLimit: "1/10s", times: 2 });
    expect(await statuses(app, 4)).toEqual([200, 429, 429, 200]);
  });
});
