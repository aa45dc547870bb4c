import { describe, expect, test } from "vitest";
import { addressesIn, mentions, scrubbed } from "../../src/core/erasure.ts";

const ANN = "ann@example.com";
const escaped = (text: string) =>
  [...text].map((each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");

describe("an address in a text", () => {
  test.each([
    ["as it is", `{"email":"${ANN}"}`],
    ["in another case", "Contact ANN@Example.COM exists already"],
    ["behind JSON's escapes", `{"email":"${escaped(ANN)}"}`],
    ["in JSON within JSON", JSON.stringify({ body: `{"email":"${escaped(ANN)}"}` })],
    ["percent-encoded", "https://x.example/contacts?email=ann%40example.com&a=1"],
    ["in angle brackets", `Ann <${ANN}>, and others`],
    ["at a sentence's end", `It is ${ANN}.`],
  ])("is found %s, and scrubbed", (_how, text) => {
    expect(mentions(text, [ANN])).toBe(true);
    expect(mentions(scrubbed(text, [ANN]), [ANN])).toBe(false);
  });

  test.each([
    "joann@example.com",
    "ann@example.community",
    "ann@example.com.au",
    "x.ann@example.com",
    "a-ann@example.com",
  ])("%s is another one", (text) => {
    expect(mentions(`It is ${text}!`, [ANN])).toBe(false);
    expect(scrubbed(`It is ${text}!`, [ANN])).toBe(`It is ${text}!`);
  });

  test("that is scrubbed from JSON leaves JSON, and the rest as it was", () => {
    const left = scrubbed(JSON.stringify({ email: ANN, limit: 5, other: ["bob@example.com"] }), [ANN]);
    expect(JSON.parse(left)).toEqual({ email: "[erased]", limit: 5, other: ["bob@example.com"] });
  });

  test("of a type of event that nobody knows is found as far as it looks like one", () => {
    expect(addressesIn(`{"a":"Ann@Example.com","b":"${escaped("bob@example.com")}"}`)).toEqual([
      ANN,
      "bob@example.com",
    ]);
  });
});
