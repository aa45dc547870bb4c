import { expect, test } from "vitest";
import { createFaults } from "../../src/daemon/trouble/faults.ts";
import { AppError } from "../../src/shared/errors.ts";
import { createLog } from "../../src/shared/log.ts";
import { createRedactor } from "../../src/shared/redact.ts";
import type { StoreFault } from "../../src/store/contract/store.ts";
import { NOON } from "../core/example.ts";
import { temporaryDirectory } from "../directory.ts";
import { fakeClock } from "../fake-clock.ts";

const LOST: StoreFault = {
  kind: "lost",
  refuses: true,
  since: NOON,
  message: "log.db is gone",
  hint: "Bring it back.",
};

test("what the store tells of itself is over when the store says so, also for calls that met it and say so later", async () => {
  const clock = fakeClock(NOON);
  let stored: StoreFault[] = [];
  const faults = createFaults({
    clock,
    store: { faults: () => stored, watchFaults: () => () => {} },
    log: createLog({
      clock,
      level: () => "error",
      format: "text",
      write: () => {},
      redact: createRedactor(),
      toJournal: false,
    }),
    stateDir: temporaryDirectory(),
    writes: { fault: () => null, hasTold: () => false },
    secrets: { faults: () => [] },
    onUsable: () => {},
  });
  const met = new AppError("STORE_UNAVAILABLE", LOST.message);
  const isTold = () => {
    faults.look();
    return faults.isToldByStore(met);
  };
  expect(isTold()).toBe(false);
  stored = [LOST];
  expect(isTold()).toBe(true);
  stored = [];
  expect(isTold()).toBe(true);
  expect(
    faults.isToldByStore(new AppError("STORE_UNAVAILABLE", "log.db cannot grow: the disk is full")),
  ).toBe(false);
  await clock.advance(60_000);
  expect(isTold()).toBe(false);
});
