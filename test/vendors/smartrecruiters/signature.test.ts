import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { type AppError, isAppError } from "../../../src/shared/errors.ts";
import { secret } from "../../../src/shared/secret.ts";
import type { Source } from "../../../src/vendors/contract/source.ts";
import type { SourceSecret } from "../../../src/core/source-secret.ts";
import { type Delivery, verify as verifyBy } from "../delivery.ts";
import { smartrecruiters } from "../../../src/vendors/smartrecruiters/source.ts";

const source: Source = smartrecruiters;
const NOW = Date.UTC(2026, 10, 22, 12);
const VALUE = {
  id: "evt_1",
  event: "candidate.assessment.completed",
  note: "Ünïcode ✓ 🙂",
  list: [1, { a: null }],
  none: [],
};
const BODY = JSON.stringify(VALUE);
/** As Python's `json.dumps` and `json.dumps(…, ensure_ascii=False)` write it. */
const PYTHON = String.raw`{"id": "evt_1", "event": "candidate.assessment.completed", "note": "\u00dcn\u00efcode \u2713 \ud83d\ude42", "list": [1, {"a": null}], "none": []}`;
const PYTHON_UTF8 =
  '{"id": "evt_1", "event": "candidate.assessment.completed", "note": "Ünïcode ✓ 🙂", "list": [1, {"a": null}], "none": []}';

const ACME = secretOf("acme", "acme-secret");
const GLOBEX = secretOf("globex", "globex-secret");

function secretOf(org: string | null, text: string): SourceSecret {
  return { org, environment: "production", secret: secret(text) };
}

function hex(key: string, body = BODY): string {
  return createHmac("sha256", key).update(body).digest("hex");
}

function delivery(signature: string | undefined, body = BODY): Delivery {
  return { headers: { "x-smartrecruiters-signature": signature }, body: Buffer.from(body) };
}

function verify(given: Delivery, secrets = [ACME]) {
  return verifyBy(source, given, { secrets, now: NOW });
}

function refusalOf(given: Delivery, secrets = [ACME]): AppError {
  try {
    verify(given, secrets);
  } catch (error) {
    if (isAppError(error, "SIGNATURE_INVALID")) return error;
    throw error;
  }
  throw new Error("the delivery was trusted");
}

describe("a webhook is trusted", () => {
  test.each([
    ["with the algorithm named", `sha256=${hex("acme-secret")}`],
    ["as bare hex", hex("acme-secret")],
    ["in capitals", `SHA256=${hex("acme-secret").toUpperCase()}`],
  ])("when its body is signed by our secret, %s", (_how, signature) => {
    expect(verify(delivery(signature))).toEqual({ eventId: null, org: "acme", environment: "production" });
  });

  test("and belongs to the org and the environment whose secret fits", () => {
    const sandbox: SourceSecret = {
      org: "initech",
      environment: "sandbox",
      secret: secret("initech-secret"),
    };
    const secrets = [ACME, GLOBEX, sandbox];
    expect(verify(delivery(hex("globex-secret")), secrets)).toMatchObject({ org: "globex" });
    expect(verify(delivery(hex("initech-secret")), secrets)).toMatchObject({
      org: "initech",
      environment: "sandbox",
    });
  });

  test("while a secret is rotated, by the old one and by the new one", () => {
    const secrets = [ACME, secretOf("acme", "acme-next")];
    for (const key of ["acme-secret", "acme-next"])
      expect(verify(delivery(`sha256=${hex(key)}`), secrets)).toMatchObject({ org: "acme" });
  });

  test("however old it is, since redeliveries go on for days", () => {
    const aMonthLater = NOW + 30 * 24 * 3_600_000;
    expect(verifyBy(source, delivery(hex("acme-secret")), { secrets: [ACME], now: aMonthLater }).org).toBe(
      "acme",
    );
  });
});

describe("a webhook is refused", () => {
  test.each([undefined, ""])("without the header", (signature) => {
    const error = refusalOf(delivery(signature));
    expect(error.message).toBe("X-SmartRecruiters-Signature is missing");
    expect(error.hint).toBe(
      "HMAC signature is missing or incorrect. Verify SmartRecruiters sends `X-SmartRecruiters-Signature` header. Confirm webhook secret matches the value in integration settings. Verify payload is not modified before signature validation.",
    );
  });

  test.each([
    ["made by another secret", `sha256=${hex("somebody-else")}`],
    ["of another body", `sha256=${hex("acme-secret", `${BODY} x`)}`],
    ["cut short", `sha256=${hex("acme-secret").slice(0, 63)}`],
    ["of another algorithm", `sha1=${hex("acme-secret")}`],
    ["that is none", "no"],
  ])("for a signature %s", (_what, signature) => {
    const error = refusalOf(delivery(signature));
    expect(error.message).toBe("X-SmartRecruiters-Signature fits none of our secrets");
    expect(error.hint).toMatch(
      /incorrect\. Confirm webhook secret matches the value in integration settings\./,
    );
  });

  test.each(["", "  "])("when it is signed with an empty secret, also if ours is empty", (empty) => {
    const error = refusalOf(delivery(`sha256=${hex("")}`), [secretOf("acme", empty)]);
    expect(error.message).toBe("X-SmartRecruiters-Signature fits none of our secrets");
  });

  test("when we have no secret at all", () => {
    expect(refusalOf(delivery(hex("acme-secret")), []).message).toMatch("fits none of our secrets");
  });

  test.each([
    ["compact JSON that came pretty", BODY, JSON.stringify(VALUE, null, 2)],
    ["pretty JSON that came compact", JSON.stringify(VALUE, null, 2), BODY],
    ["Python's JSON that came compact", PYTHON, BODY],
    ["Python's JSON in UTF-8 that came compact", PYTHON_UTF8, BODY],
  ])("and told why when the signature is that of %s", (_what, signed, came) => {
    const error = refusalOf(delivery(`sha256=${hex("acme-secret", signed)}`, came));
    expect(error.message).toBe(
      "the body was changed on its way: the signature fits other bytes of the same JSON",
    );
    expect(error.hint).toMatch(/incorrect\. Verify payload is not modified before signature validation\./);
  });

  test.each([
    ["that is no JSON", "{"],
    ["nested without end", "[".repeat(30_000) + "]".repeat(30_000)],
  ])("with a body %s, in the same words", (_what, body) => {
    expect(refusalOf(delivery(hex("acme-secret"), body)).message).toMatch("fits none of our secrets");
  });

  test("without telling any secret", () => {
    const { message, hint } = refusalOf(delivery(`sha256=${hex("other")}`));
    expect(message + hint).not.toContain("acme-secret");
  });
});
