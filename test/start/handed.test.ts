import { expect, test } from "vitest";
import { takeHanded } from "../../src/start/handed.ts";

const PID = 4711;
const GIVEN = {
  LISTEN_PID: "4711",
  LISTEN_FDS: "2",
  LISTEN_FDNAMES: "public:admin",
  WATCHDOG_PID: "4711",
  WATCHDOG_USEC: "60000000",
  NOTIFY_SOCKET: "/run/systemd/notify",
  JC_NOTIFY_FD: "5",
};
const NOTHING = { sockets: new Map(), notify: null, watchdogMs: null };

test("sockets have their names, and nothing is left for children", () => {
  const env: NodeJS.ProcessEnv = { ...GIVEN, PATH: "/usr/bin" };
  expect(takeHanded(env, PID)).toEqual({
    sockets: new Map([
      ["public", 3],
      ["admin", 4],
    ]),
    notify: { socket: "/run/systemd/notify", descriptor: 5 },
    watchdogMs: 60_000,
  });
  expect(env).toEqual({ PATH: "/usr/bin" });
  expect(takeHanded(env, PID)).toEqual(NOTHING);
});

test("what was meant for another process is nothing of ours", () => {
  const env = { ...GIVEN, LISTEN_PID: "1", WATCHDOG_PID: "1", NOTIFY_SOCKET: undefined };
  expect(takeHanded(env, PID)).toEqual(NOTHING);
});

test("sockets without a process that they are for are nobody's", () => {
  expect(takeHanded({ LISTEN_FDS: "1" }, PID)).toEqual(NOTHING);
});
