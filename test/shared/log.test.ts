import { expect, test } from "vitest";
import { createLog, type Level } from "../../src/shared/log.ts";
import { createRedactor } from "../../src/shared/redact.ts";
import { fakeClock } from "../fake-clock.ts";

function logging({ level = "debug" as Level, format = "text" as "text" | "json", toJournal = false } = {}) {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const log = createLog({
    write,
    level: () => level,
    format,
    toJournal,
    redact: createRedactor(),
    clock: fakeClock(),
  });
  return { lines, log };
}

test("a line has time, level, words and fields", () => {
  const { lines, log } = logging();
  log.info("delivered", { connection: 1, reason: "two words", isLate: false, until: null });
  expect(lines).toEqual([
    '2026-11-22T12:00:00.000Z info  delivered  connection=1  reason="two words"  isLate=false  until=null\n',
  ]);
});

test("as JSON it is one object a line", () => {
  const { lines, log } = logging({ format: "json" });
  log.warn("event refused", { reason: 'line 1\nline "2"' });
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? "")).toEqual({
    time: "2026-11-22T12:00:00.000Z",
    level: "warn",
    message: "event refused",
    reason: 'line 1\nline "2"',
  });
});

test("the journal gets the priority, and adds the time itself", () => {
  const { lines, log } = logging({ toJournal: true });
  log.debug("a");
  log.info("b");
  log.warn("c");
  log.error("d");
  expect(lines).toEqual(["<7>a\n", "<6>b\n", "<4>c\n", "<3>d\n"]);
});

test("below the level nothing is written", () => {
  const { lines, log } = logging({ level: "warn" });
  log.debug("a");
  log.info("b");
  log.warn("c");
  log.error("d");
  expect(lines.map((line) => line.trimEnd().slice(-1))).toEqual(["c", "d"]);
});

test("what comes from outside makes neither a line of its own nor colours", () => {
  const { lines, log } = logging();
  log.warn("refused", { reason: "x\n2026-11-22T12:00:00.000Z error forged\u001b[31m" });
  expect(lines).toHaveLength(1);
  expect(lines[0]?.slice(0, -1)).not.toMatch(/\n/);
  expect(lines[0]).not.toContain("\u001b");
});

test("secrets are taken out", () => {
  const { lines, log } = logging();
  log.error("token endpoint", { answer: '{"refresh_token":"na1-very-secret"}' });
  expect(lines[0]).not.toContain("very-secret");
});
