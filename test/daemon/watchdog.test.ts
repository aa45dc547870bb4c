/** What is alive and what hangs, by a real thread, a real pipe and a real circle. */
import { execFileSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { describe, expect, onTestFinished, test } from "vitest";
import { standingWords, type Standing } from "../../src/daemon/service-manager.ts";
import { createWatchdog, type Progress, type Verdict, verdictOn } from "../../src/daemon/watchdog.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { cpuMsOf } from "../../src/shared/thread-time.ts";
import type { StoreThread } from "../../src/store/contract/threaded.ts";
import { temporaryDirectory } from "../directory.ts";
import { until } from "../world.ts";

describe("in a time in which the scheduler did not go on, the service", () => {
  const before: Progress = { steps: 7, answers: 3, cpuMs: 1_000 };
  test.each<[string, Partial<Progress>, ReturnType<typeof verdictOn>]>([
    ["works where it went on after all", { steps: 8 }, "works"],
    ["hangs where the store would have answered", { answers: 4 }, "hangs"],
    ["hangs where the store's thread was busy all the time", { cpuMs: 20_500 }, "hangs"],
    [
      "waits for the disk where the store's thread was idle and silent",
      { cpuMs: 1_040 },
      "waits for the disk",
    ],
    ["waits for the disk where nobody can tell", { cpuMs: null }, "waits for the disk"],
  ])("%s", (_what, changed, verdict) => {
    expect(verdictOn(before, { ...before, ...changed }, 20_000)).toBe(verdict);
  });
});

describe("a store's thread", () => {
  test("that answers, and a scheduler that goes on, are a service that works", async () => {
    const { thread } = await aThread("");
    const scheduled = {
      dueWork: async (_now: number) => [],
      beginTick: async () => "ours" as const,
      endTick: async () => {},
    };
    const watchdog = createWatchdog({ thread, wake: () => void store.dueWork(0) }, systemClock);
    const store = watchdog.through(scheduled);
    watchdog.look();
    await systemClock.sleep(300);
    expect(watchdog.look()).toBe("works");
  });

  test("that turns in circles hangs", async () => {
    const look = await looksWhile("for (;;);");
    // On a busy machine it gets too little of a processor to tell, and now and then, for a moment, enough.
    await until("it hangs", async () => (await look(120)) === "hangs");
  });

  test("that waits for a pipe nobody writes into waits for the disk", async () => {
    const pipe = join(temporaryDirectory(), "pipe");
    execFileSync("mkfifo", [pipe]);
    const held = openSync(pipe, "r+");
    onTestFinished(() => closeSync(held));
    const look = await looksWhile(`require("node:fs").readFileSync(${JSON.stringify(pipe)});`);
    expect(await look(1_000)).toBe("waits for the disk");
  });

  test("that answers while the scheduler does not go on is a service that hangs", async () => {
    const { thread } = await aThread("");
    const watchdog = createWatchdog({ thread, wake: () => {} }, systemClock);
    watchdog.look();
    // A thread that has got no processor yet has not answered yet.
    await until("it hangs", () => watchdog.look() === "hangs");
  });
});

/** What is seen in the next milliseconds of a service whose store's thread does that. */
async function looksWhile(work: string): Promise<(ms: number) => Promise<Verdict>> {
  const { thread, begin } = await aThread(work);
  const watchdog = createWatchdog({ thread, wake: () => {} }, systemClock);
  begin();
  expect(thread.cpuMs()).not.toBeNull();
  watchdog.look();
  return async (ms) => {
    await systemClock.sleep(ms);
    return watchdog.look();
  };
}

/** A thread that answers what it is asked, until it begins to work. */
async function aThread(work: string): Promise<{ thread: StoreThread; begin(): void }> {
  const worker = new Worker(
    `const { parentPort } = require("node:worker_threads");
    const name = require("node:fs").readlinkSync("/proc/thread-self").split("/").at(-1);
    parentPort.on("message", (asked) => {
      parentPort.postMessage(asked);
      if (asked === "begin") { ${work} }
    });
    parentPort.postMessage(name);`,
    { eval: true },
  );
  onTestFinished(() => void worker.terminate());
  let name = "";
  const answers: (() => void)[] = [];
  worker.on("message", (message: string) => {
    if (name === "") name = message;
    else if (message === "ask") answers.shift()?.();
  });
  await until("the thread runs", () => name !== "");
  return {
    thread: {
      ask: () =>
        new Promise((resolve) => {
          answers.push(resolve);
          worker.postMessage("ask");
        }),
      cpuMs: () => cpuMsOf(name),
      watchBeside: null,
    },
    begin: () => worker.postMessage("begin"),
  };
}

describe("systemctl status says", () => {
  const well: Standing = {
    address: "127.0.0.1:8470",
    verdict: "works",
    refusals: [],
    vaultProblem: null,
    isAnyConnected: true,
  };
  test.each<[string, Partial<Standing>]>([
    ["all is well", {}],
    ["no account is connected yet", { isAnyConnected: false }],
    ["webhooks are refused: the disk is full", { refusals: ["the disk is full"] }],
    [
      "delivers nothing: the key is missing",
      { vaultProblem: { message: "the key is missing" }, isAnyConnected: false },
    ],
    ["the log's disk does not answer", { verdict: "waits for the disk" }],
    ["its work does not go on", { verdict: "hangs" }],
  ])("%s", (words, changed) => {
    expect(standingWords({ ...well, ...changed })).toBe(`Listens on 127.0.0.1:8470; ${words}`);
  });
});
