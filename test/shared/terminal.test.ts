import { PassThrough, Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { fakeClock } from "../fake-clock.ts";
import { canRedraw, colourLevel, createTerminal } from "../../src/shared/terminal.ts";

function terminalOf({ isTerminal = true, level = 0 as 0 | 1 | 2 } = {}) {
  let err = "";
  const clock = fakeClock();
  const terminal = createTerminal(
    {
      out: () => {},
      err: (text) => {
        err += text;
      },
      lost: () => ({ lines: 0, isOver: true }),
      stdin: Readable.from([]),
      stderr: new PassThrough(),
      stdinIsTerminal: isTerminal,
      stdoutIsTerminal: isTerminal,
      stderrIsTerminal: isTerminal,
      columns: () => 80,
    },
    { level, width: null, isWide: false, redraws: isTerminal },
    clock,
  );
  /** The line as it was drawn last. */
  const line = () => err.split("\r\u001b[2K").at(-1);
  return { terminal, clock, err: () => err, line };
}

test("a line is drawn anew on a terminal, unless that is dumb", () => {
  expect([canRedraw({ TERM: "xterm" }, true), canRedraw({}, true)]).toEqual([true, true]);
  expect([canRedraw({ TERM: "dumb" }, true), canRedraw({ TERM: "xterm" }, false)]).toEqual([false, false]);
});

describe("colours", () => {
  test.each([
    ["on a terminal", { TERM: "xterm" }, true, false, 1],
    ["of many on a terminal that has them", { TERM: "xterm-256color" }, true, false, 2],
    ["of many where COLORTERM says so", { TERM: "xterm", COLORTERM: "truecolor" }, true, false, 2],
    ["not in a pipe", { TERM: "xterm-256color" }, false, false, 0],
    ["in a pipe when forced", { FORCE_COLOR: "1" }, false, false, 1],
    ["in a pipe when forced the BSD way", { CLICOLOR_FORCE: "1" }, false, false, 1],
    ["not when NO_COLOR is set, even if forced", { NO_COLOR: "1", FORCE_COLOR: "1" }, true, false, 0],
    ["not with --no-color, even if forced", { FORCE_COLOR: "1" }, true, true, 0],
    ["not on a dumb terminal", { TERM: "dumb" }, true, false, 0],
    ["not when FORCE_COLOR is 0", { TERM: "xterm", FORCE_COLOR: "0" }, true, false, 0],
    ["not when CLICOLOR is 0", { TERM: "xterm", CLICOLOR: "0" }, true, false, 0],
  ] as const)("%s", (_when, env, isTerminal, noColour, level) => {
    expect(colourLevel(env, isTerminal, noColour)).toBe(level);
  });
});

describe("output for people", () => {
  test("stands in columns without blanks at the ends", () => {
    const { terminal } = terminalOf();
    const rows = [
      ["a", "1"],
      ["longer", ""],
    ];
    expect(terminal.table(["name", "n"], rows)).toBe("name    n\na       1\nlonger");
  });

  test("keeps its columns where characters are wide, cells have lines and headings colours", () => {
    const rows = [
      ["日本", "one\nand two", "x"],
      ["e\u0301", "", "y"],
    ];
    expect(terminalOf().terminal.table(["who", "what", "z"], rows)).toBe(
      ["who   what     z", "日本  one      x", "      and two", "e\u0301              y"].join("\n"),
    );
    const coloured = terminalOf({ level: 1 }).terminal.table(["a", "b"], [["\u001b[31mlong\u001b[39m", "1"]]);
    expect(coloured).toBe("\u001b[2ma\u001b[22m     \u001b[2mb\u001b[22m\n\u001b[31mlong\u001b[39m  1");
    expect(terminalOf().terminal.table(["a", "b"], [])).toBe("a  b");
  });

  test("marks pills by colour, or by brackets where there is none", () => {
    expect(terminalOf().terminal.pill("Connected", "good")).toBe("[Connected]");
    const coloured = terminalOf({ level: 1 }).terminal.pill("Connected", "good");
    expect(coloured).toContain(" Connected ");
    expect(coloured).toContain("\u001b[42m");
  });

  test("redraws its progress on a terminal, and says elsewhere how it ended", () => {
    const shown = terminalOf();
    const bar = shown.terminal.progress("backfill", 2_000);
    bar.set(1_000);
    bar.end();
    expect(shown.err().replaceAll("\r\u001b[2K", "<redrawn>")).toMatch(
      /^(<redrawn>backfill {2}█{14}░{14} {2}1,000\/2,000 {2}){2}\n$/,
    );
    const piped = terminalOf({ isTerminal: false });
    const count = piped.terminal.progress("importing", null);
    for (const done of [10, 20, 3_000]) count.set(done, "2 bad");
    piped.clock.jump(piped.clock.now() + 2_000);
    count.end();
    expect(piped.err()).toBe("importing  3,000  1,500/s  2 bad\n");
    const counted = terminalOf({ isTerminal: false });
    const whole = counted.terminal.progress("backfill", 2_000);
    whole.set(1_000);
    whole.clear();
    whole.end();
    expect(counted.err()).toMatch(/^backfill {2}1,000\/2,000 {2}\n$/);
  });

  test("counts into rate and time left nothing that was done before it began", () => {
    const { terminal, clock, line } = terminalOf();
    const bar = terminal.progress("delivering", 2_000, 1_000);
    bar.set(1_000);
    expect(line()).toMatch(/ 1,000\/2,000 {2}$/);
    clock.jump(clock.now() + 500);
    bar.set(1_050);
    expect(line()).toMatch(/ 1,050\/2,000 {2}100\/s {2}10 s left$/);
  });

  test("shows the rate of the last ten seconds, and in the end that of all", () => {
    const { terminal, clock, line } = terminalOf();
    const bar = terminal.progress("delivering", 2_000);
    const pass = (seconds: number, perSecond: number) => {
      for (let n = 0; n < seconds; n += 1) {
        clock.jump(clock.now() + 1_000);
        done += perSecond;
        bar.set(done);
      }
    };
    let done = 0;
    pass(10, 100);
    expect(line()).toMatch(/ 1,000\/2,000 {2}100\/s {2}10 s left$/);
    pass(10, 10);
    expect(line()).toMatch(/ 1,100\/2,000 {2}10\/s {2}90 s left$/);
    pass(10, 0);
    expect(line()).toMatch(/ 1,100\/2,000 {2}0\/s$/);
    bar.end();
    expect(line()).toMatch(/ 1,100\/2,000 {2}37\/s\n$/);
  });

  test("says nothing of progress that never was", () => {
    const { terminal, err } = terminalOf();
    terminal.progress("importing", null).end();
    expect(err()).toBe("");
  });
});
