import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { createRedactor } from "../../src/shared/redact.ts";
import { sameText, secret } from "../../src/shared/secret.ts";

describe("a redactor takes out", () => {
  test.each([
    [
      "a query",
      "https://localhost:8976/hubspot/oauth-callback?code=c0de-77&state=st4te-77",
      ["c0de-77", "st4te-77"],
    ],
    [
      "a form",
      "code=c0de-77&client_secret=s3cret-77&code_verifier=v3rifier-77",
      ["c0de-77", "s3cret-77", "v3rifier-77"],
    ],
    ["JSON", '{"access_token":"acc-77","refresh_token": "ref-77","expires_in":1800}', ["acc-77", "ref-77"]],
    ["an object's inspection", "{ access_token: 'acc-77' }", ["acc-77"]],
    ["JSON within JSON", JSON.stringify({ body: '{"refresh_token":"ref-77"}' }), ["ref-77"]],
    [
      "a header in JSON within JSON",
      JSON.stringify({ headers: '{"authorization":"Bearer tok-77"}' }),
      ["tok-77"],
    ],
    ["a header", "Authorization: Bearer tok-77.abc", ["tok-77"]],
    ["a header in JSON", '{"authorization":"Basic dXNlcjpwYXNz"}', ["dXNlcjpwYXNz"]],
    ["a cookie", "Set-Cookie: session=s-77; HttpOnly", ["s-77"]],
    ["a webhook secret", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD is wrong", ["C2FVsBQIhrscChlQIMV"]],
    ["a bot's address", "POST /bot123456:AAH-77xyz/sendMessage", ["AAH-77xyz"]],
    ["a URL's password", "http://proxy:pa55word@proxy.example.org:3128", ["pa55word"]],
  ])("secrets in %s", (_where, text, secrets) => {
    const clean = createRedactor()(text);
    for (const each of secrets) expect(clean).not.toContain(each);
    expect(clean).toContain("[redacted]");
  });

  test("the very values it was told of, plain and in URLs, but none so short that they are everywhere", () => {
    const redact = createRedactor();
    redact.learn("pass word/+77");
    redact.learn("abc");
    expect(redact("abc: pass word/+77 and pass%20word%2F%2B77")).toBe("abc: [redacted] and [redacted]");
  });

  test("nothing of what an operator or a script has to read", () => {
    const redact = createRedactor();
    for (const text of [
      '{"version":1,"error":{"code":"RECONNECT_NEEDED","message":"hubspot must reconnect"}}',
      '{"state":"connected","pushes":[{"state":"delivered"}]}',
      "Type: jc-integrations secrets set hubspot.client-secret",
      "2026-11-22T12:00:00.000Z info  swept  state=connected  code=202",
    ])
      expect(redact(text)).toBe(text);
  });
});

test("a secret shows itself only when asked by name", () => {
  const hidden = secret("s3cret-77");
  const shown = [
    `${hidden}`,
    String(hidden),
    JSON.stringify({ hidden }),
    inspect({ hidden }),
    `${hidden}`.concat(""),
  ];
  for (const text of shown) expect(text).not.toContain("s3cret-77");
  expect(shown[0]).toBe("[redacted]");
  expect(hidden.reveal()).toBe("s3cret-77");
});

test("texts are compared whole", () => {
  expect(sameText("abc", "abc")).toBe(true);
  expect(sameText("abc", "abd")).toBe(false);
  expect(sameText("abc", "abcd")).toBe(false);
  expect(sameText("ä", "a")).toBe(false);
});
