import { createHmac } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import { isAppError } from "../../../src/shared/errors.ts";
import { secret } from "../../../src/shared/secret.ts";
import type { SourceSecret } from "../../../src/core/source-secret.ts";
import { type Delivery, verify } from "../delivery.ts";
import { jobcannon } from "../../../src/vendors/jobcannon/source.ts";

const NOW = Date.UTC(2026, 10, 22, 12);
const OURS = `whsec_${Buffer.from("our very own webhook secret").toString("base64")}`;
const OTHER = `whsec_${Buffer.from("somebody else's secret text").toString("base64")}`;
const SECRETS: SourceSecret[] = [{ org: null, environment: "production", secret: secret(OURS) }];
const BODY = '{"type":"invite.sent","note":"Ünïcode ✓"}';

/** Signs as the published library of the scheme does. */
function signed(changes: { by?: string; body?: string; sentAt?: number; id?: string } = {}): Delivery {
  const { by = OURS, body = BODY, sentAt = NOW, id = "msg_1" } = changes;
  return {
    headers: {
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(sentAt / 1000)),
      "webhook-signature": new Webhook(by).sign(id, new Date(sentAt), body),
    },
    body: Buffer.from(body),
  };
}

function withHeader(delivery: Delivery, name: string, value: string | undefined): Delivery {
  return { ...delivery, headers: { ...delivery.headers, [name]: value } };
}

function refusalOf(delivery: Delivery, secrets = SECRETS, now = NOW): string {
  try {
    verify(jobcannon, delivery, { secrets, now });
  } catch (error) {
    if (isAppError(error, "SIGNATURE_INVALID")) return error.message;
    throw error;
  }
  return "accepted";
}

describe("a webhook is trusted", () => {
  test("when our secret signed its very bytes, and is known by its id", () => {
    expect(verify(jobcannon, signed(), { secrets: SECRETS, now: NOW })).toMatchObject({
      eventId: "msg_1",
      org: null,
    });
  });
  test("when any of our active secrets signed it, and then belongs to that secret's org", () => {
    const secrets: SourceSecret[] = [
      { org: "globex", environment: "production", secret: secret(OTHER) },
      { org: "acme", environment: "production", secret: secret(OURS) },
    ];
    expect(verify(jobcannon, signed(), { secrets, now: NOW })).toEqual({
      eventId: "msg_1",
      org: "acme",
      environment: "production",
    });
  });
  test("when one of several signatures fits", () => {
    const ours = signed();
    const others = `v1a,bm90IG91cnM= ${signed({ by: OTHER }).headers["webhook-signature"]}`;
    const several = withHeader(ours, "webhook-signature", `${others} ${ours.headers["webhook-signature"]}`);
    expect(refusalOf(several)).toBe("accepted");
  });
  test("when the secret was stored without its prefix or with a line's end", () => {
    for (const text of [OURS.replace("whsec_", ""), `${OURS}\n`])
      expect(refusalOf(signed(), [{ org: null, environment: "production", secret: secret(text) }])).toBe(
        "accepted",
      );
  });
  test("up to five minutes from our clock, either way", () => {
    expect(refusalOf(signed(), SECRETS, NOW + 300_000)).toBe("accepted");
    expect(refusalOf(signed(), SECRETS, NOW - 300_000)).toBe("accepted");
  });
});

describe("a webhook is refused", () => {
  test.each(["webhook-id", "webhook-timestamp", "webhook-signature"])("without %s", (name) => {
    expect(refusalOf(withHeader(signed(), name, undefined))).toBe(`${name} is missing`);
    expect(refusalOf(withHeader(signed(), name, ""))).toBe(`${name} is missing`);
  });
  test("beyond five minutes from our clock, either way", () => {
    const reason = "webhook-timestamp is more than 5 minutes from our clock";
    expect(refusalOf(signed(), SECRETS, NOW + 301_000)).toBe(reason);
    expect(refusalOf(signed(), SECRETS, NOW - 301_000)).toBe(reason);
  });
  test.each(["soon", "1e9", "-1", "1763812800.5", "99999999999999999999"])(
    "with the timestamp %s",
    (sentAt) => {
      expect(refusalOf(withHeader(signed(), "webhook-timestamp", sentAt))).toMatch(/^webhook-timestamp is/);
    },
  );
  const noFit = "webhook-signature fits none of our secrets";
  test("when another secret signed it", () => {
    expect(refusalOf(signed({ by: OTHER }))).toBe(noFit);
  });
  test("when one byte, the id or the time is not the signed one", () => {
    expect(refusalOf({ ...signed(), body: Buffer.from(BODY.replace("sent", "Sent")) })).toBe(noFit);
    expect(refusalOf(withHeader(signed(), "webhook-id", "msg_2"))).toBe(noFit);
    expect(refusalOf(withHeader(signed(), "webhook-timestamp", String(NOW / 1000 + 1)))).toBe(noFit);
  });
  test.each(["v1,", "v1", "nonsense", "v2,AAAA", " "])("with the signature %j", (signature) => {
    expect(refusalOf(withHeader(signed(), "webhook-signature", signature))).toBe(noFit);
  });
  test("when we have no secret", () => {
    expect(refusalOf(signed(), [])).toBe(noFit);
  });
  test("when our secret holds no key and the sender signed with none", () => {
    const { headers } = signed();
    const content = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${BODY}`;
    const signature = `v1,${createHmac("sha256", "").update(content).digest("base64")}`;
    const forged = withHeader(signed(), "webhook-signature", signature);
    expect(refusalOf(forged, [{ org: null, environment: "production", secret: secret("whsec_") }])).toBe(
      noFit,
    );
  });
});
