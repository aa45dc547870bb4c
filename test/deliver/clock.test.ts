import { describe, expect, test } from "vitest";
import { MINUTE, openStage, people, SECOND, type Stage } from "./stage.ts";

const HOUR = 60 * MINUTE;
const CONTACTS = "/crm/v3/objects";

/** Sets what the program takes for the time so far off, from now on. */
function clockOf(stage: Stage): { setOff(ms: number): void; real(): number } {
  const real = stage.clock.now;
  let off = 0;
  stage.clock.now = () => real() + off;
  return {
    setOff: (ms) => {
      off = ms;
    },
    real,
  };
}

async function allArrived(stage: Stage, n: number, withinMs: number): Promise<void> {
  await stage.until("all has arrived", async () => (await stage.contacts()).size === n, withinMs);
}

describe("a clock that is set back while calls are under way", () => {
  test.each([
    ["2 s", 2 * SECOND],
    ["5 min", 5 * MINUTE],
    ["1 h", HOUR],
  ])("by %s holds up neither what comes next nor what was claimed", async (_, ms) => {
    const stage = await openStage();
    const { setOff } = clockOf(stage);
    await stage.fault({ delayMs: 400, path: CONTACTS });
    await stage.start();
    await stage.complete(...people(3_000));
    await stage.pass(200);
    setOff(-ms);
    await allArrived(stage, 3_000, MINUTE);
    await stage.complete(...people(5, 5_000));
    await allArrived(stage, 3_005, 2 * SECOND);
  });

  test("holds up nobody where results come one by one", async () => {
    const stage = await openStage();
    const { setOff } = clockOf(stage);
    await stage.fault({ delayMs: 3_000, path: CONTACTS });
    await stage.start();
    await stage.complete(...people(1));
    await stage.pass(20);
    setOff(-HOUR);
    await stage.complete(...people(1, 100));
    await allArrived(stage, 2, 10 * SECOND);
  });
});

describe("a clock that is set while a window is full", () => {
  test.each([
    ["ahead", HOUR],
    ["ahead", 6 * SECOND],
    ["back", -HOUR],
    ["back", -6 * SECOND],
  ])("%s by %i ms neither overruns it nor holds up anybody", async (_, ms) => {
    const stage = await openStage({ vendorLimit: "100/10s" });
    const { setOff } = clockOf(stage);
    await stage.pass(11 * SECOND);
    await stage.start();
    await stage.complete(...people(15_000));
    await stage.pass(4 * SECOND);
    setOff(ms);
    await allArrived(stage, 15_000, 8 * SECOND);
    expect(stage.calls.filter(({ status }) => status !== 200)).toEqual([]);
  });
});

describe("a clock that was ahead during an outage", () => {
  test.each([2, 10])(
    "by %i h keeps nobody waiting once it is right and the vendor is back",
    async (hours) => {
      const stage = await openStage();
      const { setOff } = clockOf(stage);
      await stage.fault({ status: 503 });
      setOff(hours * HOUR);
      await stage.complete(...people(50));
      const process = await stage.start();
      await stage.pass(40 * SECOND);
      setOff(0);
      await stage.clearFaults();
      await stage.through(process.stop());
      await stage.start();
      await stage.complete(...people(5, 100));
      await allArrived(stage, 55, MINUTE);
    },
  );

  test("also where the outage began while it was right", async () => {
    const stage = await openStage();
    const { setOff } = clockOf(stage);
    await stage.fault({ status: 503 });
    await stage.complete(...people(50));
    await stage.start();
    await stage.pass(20 * MINUTE);
    setOff(10 * HOUR);
    await stage.pass(6 * MINUTE);
    setOff(0);
    await stage.clearFaults();
    await stage.complete(...people(5, 100));
    await allArrived(stage, 55, 6 * MINUTE);
  });
});
