import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { createRedactor } from "../../src/shared/redact.ts";
import { sameText } from "../../src/shared/compare-secrets.ts";
import { secret } from "../../src/shared/secret.ts";

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
    ["a URL's password with an @", "http://proxy:pa55@w0rd@proxy.example.org:3128", ["pa55", "w0rd"]],
    ["a URL within a URL", "GET /go?to=https%3A%2F%2Fx%2F%3Faccess_token%3Dacc-77%26a%3Db", ["acc-77"]],
    ["JSON within a URL", "q=%7B%22refresh_token%22%3A%22ref-77%22%7D", ["ref-77"]],
    [
      "a redirect within a URL",
      "to=%2Foauth-callback%3Fcode%3Dc0de-77%26state%3Dst4te-77",
      ["c0de-77", "st4te-77"],
    ],
    [
      "a sentence",
      "refused Bearer CJSP5qf1KhICAQEYs-gDIIGOBii1hQIyGQAf3xBKmlwHjX7OIpuIFEavB2-q",
      ["CJSP5qf1"],
    ],
    ["a short bearer", "with bearer tok-77x", ["tok-77x"]],
    ["a bot's token alone", "chat of 123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw is gone", ["AAHdqTcv"]],
    ["a private app's token", "pat-eu1-01234567-89ab-cdef-0123-456789abcdef", ["89ab-cdef"]],
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

  test("a value in each form in which it may come back", () => {
    const redact = createRedactor();
    const value = 'p"ä ss/w0rd';
    redact.learn(value);
    for (const form of [
      value,
      JSON.stringify(value),
      encodeURIComponent(value),
      encodeURIComponent(value).toLowerCase(),
      new URLSearchParams({ value }).toString(),
      encodeURIComponent(encodeURIComponent(value)),
    ])
      expect(redact(`<${form}>`)).toContain("[redacted]");
  });

  test("no everyday word that happens to be a secret, and no part of a name of ours", () => {
    const redact = createRedactor();
    for (const word of ["secret", "Password", "WEBHOOK", "client-secret"]) redact.learn(word);
    const text = "the Password is a secret WEBHOOK: jc-integrations secrets set hubspot.client-secret";
    expect(redact(text)).toBe(text);
    expect(redact("it refused client-secret.")).toBe("it refused [redacted].");
  });

  test("in time that grows with the text alone", () => {
    const redact = createRedactor();
    redact.learn("a-value-of-somebody's");
    const n = 200_000;
    const texts = [
      "/bot1",
      "token\\",
      "authorization: ",
      "//a:",
      "1234567890",
      "bearer ",
      "%3fcode%3d",
      '"secret" : ',
    ];
    const begun = process.cpuUsage();
    for (const text of texts)
      for (const tail of ["1", " ", "a", "\\", "/", "@"]) redact(text + tail.repeat(n));
    for (const text of texts) redact(text.repeat(n / 10));
    expect(process.cpuUsage(begun).user / 1_000).toBeLessThan(4_000);
  });

  test("nothing of what an operator or a script has to read", () => {
    const redact = createRedactor();
    for (const text of [
      "Paste all of what the address bar shows: http://localhost:8976/hubspot/oauth-callback?code=…",
      "Bearer authentication is refused",
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
