import { describe, expect, test } from "vitest";
import { unbroken } from "../../src/core/advice/unbroken.ts";
import { type Column, displayWidth, layTable, widthOf, wrapped } from "../../src/shared/layout.ts";

const RED = "\u001b[31m";
const END = "\u001b[39m";

describe("words", () => {
  test("go on below, under their own text, and none is broken", () => {
    expect(wrapped("! one two three four", 12)).toBe("! one two\n  three four");
    expect(wrapped("  → one two three", 12)).toBe("  → one two\n    three");
    expect(wrapped("a averyveryverylongword b", 10)).toBe("a\naveryveryverylongword\nb");
  });

  test("stay as they are where they fit, or where there is no width", () => {
    expect(wrapped("one  two", 8)).toBe("one  two");
    expect(wrapped("one two three", null)).toBe("one two three");
  });

  test("keep their colour on each line, and end it there", () => {
    expect(wrapped(`${RED}one two three${END}`, 8)).toBe(`${RED}one two\u001b[0m\n${RED}three${END}`);
  });

  test("are measured as a terminal shows them", () => {
    expect([displayWidth(`${RED}ab${END}`), displayWidth("日本"), displayWidth("e\u0301")]).toEqual([
      2, 4, 1,
    ]);
  });
});

describe("a command line in a text", () => {
  test("that removes files goes on over lines that a shell takes as one", () => {
    const line = "  rm '/home/ann/person-acme.html' '/home/ann/person-acme.json'";
    expect(wrapped(line, 40, unbroken)).toBe(
      "  rm '/home/ann/person-acme.html' \\\n  '/home/ann/person-acme.json'",
    );
  });

  test.each([
    ["see jc-integrations logs --outcome held says why", "jc-integrations logs --outcome held"],
    [
      "Run: jc-integrations resync-properties --org acme. Results wait",
      "jc-integrations resync-properties --org acme.",
    ],
    [
      "mend, then: jc-integrations replay --status rejected --org acme --yes",
      "jc-integrations replay --status rejected --org acme --yes",
    ],
    [
      'x jc-integrations catalog set --job 4711 --stage "Phone screen / 1" --org a b',
      'jc-integrations catalog set --job 4711 --stage "Phone screen / 1" --org a',
    ],
    [
      "x jc-integrations --config /a.toml connect hubspot --org acme; then",
      "jc-integrations --config /a.toml connect hubspot --org acme;",
    ],
    [
      "x jc-integrations replay inv_1 --recreate --org acme --yes",
      "jc-integrations replay inv_1 --recreate --org acme --yes",
    ],
    [
      "x jc-integrations replay --email <its address> --yes",
      "jc-integrations replay --email <its address> --yes",
    ],
    [
      "first sudo jc-integrations service install --system and",
      "sudo jc-integrations service install --system",
    ],
  ])("%s stays in one piece", (text, command) => {
    expect(unbroken(text)).toContain(command);
  });

  test("that is longer than a line is broken so that a shell takes it whole", () => {
    const text = "! Run: jc-integrations replay --status rejected --org acme --yes";
    expect(wrapped(text, 40, unbroken).split("\n")).toEqual([
      "! Run: jc-integrations replay \\",
      "  --status rejected --org acme --yes",
    ]);
  });
});

describe("a table", () => {
  const columns: Column[] = [
    { name: "a" },
    { name: "b", drop: 2 },
    { name: "c", drop: 1 },
    { name: "words" },
  ];
  const rows = [["x".repeat(20), "y".repeat(20), "z".repeat(20), "one two three four five six seven"]];

  test("wraps its texts first, then leaves out columns in their order", () => {
    expect(layTable(columns, rows, 200).rows).toEqual(rows);
    const wide = layTable(columns, rows, 90);
    expect(wide).toMatchObject({
      dropped: [],
      rows: [[expect.anything(), expect.anything(), expect.anything(), "one two three four five\nsix seven"]],
    });
    expect(layTable(columns, rows, 70)).toMatchObject({ dropped: ["c"] });
    expect(layTable(columns, rows, 45)).toMatchObject({ dropped: ["b", "c"] });
  });

  test("wraps down to the longest word before it gives up, and says when it does", () => {
    expect(layTable(columns, rows, 28)).toMatchObject({
      isTooNarrow: false,
      rows: [["x".repeat(20), "one\ntwo\nthree\nfour\nfive\nsix\nseven"]],
    });
    expect(layTable(columns, rows, 20)).toMatchObject({ isTooNarrow: true });
  });

  test("has all columns where there is no width", () => {
    expect(layTable(columns, rows, null)).toMatchObject({ dropped: [], rows });
  });
});

describe("the width", () => {
  const io = (isTerminal: boolean, columns = 72) =>
    ({ stdoutIsTerminal: isTerminal, stderrIsTerminal: isTerminal, columns: () => columns }) as never;

  test("is the terminal's, else that of COLUMNS, else none", () => {
    expect(widthOf(io(true), { COLUMNS: "200" }, "out")).toBe(72);
    expect(widthOf(io(false), { COLUMNS: "60" }, "err")).toBe(60);
    expect(widthOf(io(false), {}, "out")).toBeNull();
    expect(widthOf(io(false), { COLUMNS: "many" }, "out")).toBeNull();
    expect(widthOf(io(true, 10), {}, "out")).toBe(40);
  });
});
