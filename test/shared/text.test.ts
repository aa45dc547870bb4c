import { describe, expect, test } from "vitest";
import { nearest } from "../../src/shared/nearest.ts";
import {
  count,
  cut,
  jsonText,
  maskAll,
  maskEmail,
  maskEmailsIn,
  plain,
  printable,
  relativeTime,
  short,
  shortTime,
} from "../../src/shared/text.ts";

const NOON = Date.UTC(2026, 10, 22, 12);

test("a text from outside cannot steer a terminal, start a line or turn the reading direction", () => {
  expect(plain("a\u001b[31mb\r\nc\td\u202ee\u200bf\u0085g\ufeffh")).toBe("a [31mb  c d e f g h");
  expect(plain("Zoë Müller-日本 🙂")).toBe("Zoë Müller-日本 🙂");
});

test("a whole text keeps its lines and colours, and JSON its values, but neither steers a terminal", () => {
  expect(printable("\u001b[31mred\u001b[39m\nnext\u001b]0;title\u0007\u202e\u009b2J\r")).toBe(
    "\u001b[31mred\u001b[39m\nnext ]0;title   2J ",
  );
  const value = { name: "a\u007f\u009b\u202e\u2066\ufeff\ud800 Zoë 🙂" };
  expect(jsonText(value)).toBe(String.raw`{"name":"a\u007f\u009b\u202e\u2066\ufeff\ud800 Zoë 🙂"}`);
  expect(JSON.parse(jsonText(value))).toEqual(value);
});

test("what is too long is cut, and no half of an address is left", () => {
  expect(cut("to olena@example.org", 10)).toBe("to…");
  expect(cut("x".repeat(50), 10)).toBe("…");
  expect(cut("short", 10)).toBe("short");
  expect(short("ab".repeat(200), 3)).toBe("aba…");
});

test("addresses are masked wherever they stand, in time that grows with the text alone", () => {
  expect(maskEmailsIn("to=olena@example.org, <kim@x.example>: a@b=c and @ alone")).toBe(
    "to=o…@example.org, <k…@x.example>: a…@b=c and @ alone",
  );
  expect(maskAll("ÇA NE VA PAS, ça ne va pas; İ ça", "ça ne va pas")).toBe("…, …; İ ça");
  const begun = process.cpuUsage();
  for (const text of ["a".repeat(1_000_000), "a@".repeat(500_000), "@".repeat(1_000_000)]) {
    maskEmailsIn(text);
    maskEmail(text);
    maskAll(text, "olena@example.org");
    plain(text);
    cut(text, 1_000);
  }
  expect(process.cpuUsage(begun).user / 1_000).toBeLessThan(2_000);
});

test("an address keeps its first letter and its domain", () => {
  expect(maskEmail("olena@example.org")).toBe("o…@example.org");
  expect(maskEmail('"odd@name"@example.org')).toBe('"…@example.org');
  expect(maskEmail("@example.org")).toBe("…");
  expect(maskEmail("no address")).toBe("…");
});

test("numbers agree with their nouns", () => {
  expect([0, 1, 2, 12_345].map((n) => count(n, "result"))).toEqual([
    "0 results",
    "1 result",
    "2 results",
    "12,345 results",
  ]);
});

describe("times", () => {
  const cases: [seconds: number, words: string][] = [
    [0, "just now"],
    [-4, "just now"],
    [-5, "5 s ago"],
    [-59, "59 s ago"],
    [-60, "1 min ago"],
    [25 * 60, "in 25 min"],
    [-3_600, "1 h ago"],
    [-47 * 3_600, "47 h ago"],
    [-48 * 3_600, "2026-11-20 12:00 UTC"],
    [30 * 86_400, "2026-12-22 12:00 UTC"],
  ];
  test.each(cases)("%i seconds from now are told as %s", (seconds, words) => {
    expect(relativeTime(NOON + seconds * 1_000, NOON)).toBe(words);
  });

  test("are short, and in UTC", () => {
    expect(shortTime(NOON + 61_000)).toBe("2026-11-22 12:01 UTC");
  });
});

describe("the nearest word", () => {
  const words = ["hubspot", "smartrecruiters", "hubspot.client_id"];
  test.each([
    ["hubpsot", "hubspot"],
    ["HubSpot", "hubspot"],
    ["smartrecruiter", "smartrecruiters"],
    ["hubspot.clientid", "hubspot.client_id"],
    ["salesforce", null],
    ["", null],
  ])("to %j is %j", (word, meant) => {
    expect(nearest(word, words)).toBe(meant);
  });

  test("is none where there are none", () => {
    expect(nearest("hubspot", [])).toBeNull();
  });
});
