/** The vendor's signature over six parts, against the one it prints in its documents. */
import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { secret } from "../../src/shared/secret.ts";
import { smartrecruiters as source } from "../../src/vendors/smartrecruiters/source.ts";

/** https://developers.smartrecruiters.com/reference/subscriptionsgeneratesecretkey-1 */
const KEY = "HeBVky2bccvvkcXPimH8c";
const BODY = '{"job_id":"jid","candidate_id":"cid"}';
const HEADERS = {
  "smartrecruiters-timestamp": "1574080897",
  "event-id": "123",
  "event-name": "application.created",
  "event-version": "v201910",
  link: "<http://smartrecruiters.com/endpoint>; rel=self",
  "smartrecruiters-signature": "v1=2e9291f10d44ca10204a4cd81b05d73b6a316b2b605d4e2e0e0b37b40198ce1f",
};

function isTrusted(headers: Record<string, string>, { body = BODY, key = KEY } = {}): boolean {
  const held = { org: "acme", environment: "production", secret: secret(key) } as const;
  return source.claim(headers).isBy(held, [Buffer.from(body)]);
}

describe("the published signature", () => {
  test("is the one that the vendor's documents print", () => {
    expect(isTrusted(HEADERS)).toBe(true);
    expect(source.claim(HEADERS).eventId).toBe("123");
  });

  test.each(["smartrecruiters-timestamp", "event-id", "event-name", "event-version", "link"])(
    "covers %s",
    (name) => {
      expect(isTrusted({ ...HEADERS, [name]: "another" })).toBe(false);
      const { [name as keyof typeof HEADERS]: _, ...without } = HEADERS;
      expect(isTrusted(without)).toBe(false);
    },
  );

  test("covers the body, and fits no other key", () => {
    expect(isTrusted(HEADERS, { body: BODY.replace("cid", "other") })).toBe(false);
    expect(isTrusted(HEADERS, { key: "another key" })).toBe(false);
    expect(isTrusted(HEADERS, { key: "" })).toBe(false);
  });

  test("may be one of several, beside schemes that nobody knows yet", () => {
    const theirs = createHmac("sha256", "an older key").update("anything").digest("hex");
    const own = HEADERS["smartrecruiters-signature"];
    const signature = `v2=abc;v1=${theirs};${own}`;
    expect(isTrusted({ ...HEADERS, "smartrecruiters-signature": signature })).toBe(true);
    expect(isTrusted({ ...HEADERS, "smartrecruiters-signature": `v1=${theirs};v1=${theirs}` })).toBe(false);
  });

  test("takes a header that is not there for an empty text", () => {
    const { link: _, ...rest } = HEADERS;
    const text = [rest["smartrecruiters-timestamp"], BODY, "123", "application.created", "v201910", ""];
    const mac = createHmac("sha256", KEY).update(text.join(".")).digest("hex");
    expect(isTrusted({ ...rest, "smartrecruiters-signature": `v1=${mac}` })).toBe(true);
  });

  test.each([
    ["no signature", { "smartrecruiters-signature": "" }],
    ["unknown schemes alone", { "smartrecruiters-signature": "v2=abc" }],
    ["a signature that is none", { "smartrecruiters-signature": "v1=abc" }],
  ])("is refused at once with %s", (_what, changes) => {
    expect(() => source.claim({ ...HEADERS, ...changes })).toThrow("smartrecruiters-signature");
  });
});
