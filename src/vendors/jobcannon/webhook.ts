/**
 * JobCannon signs its webhooks by the Standard Webhooks scheme, and this file alone knows its header names.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import { createHmac } from "node:crypto";
import { AppError } from "../../shared/errors.ts";
import { type Secret, sameText } from "../../shared/secret.ts";
import type { Delivery, Verified } from "../contract/source.ts";
import type { SourceSecret } from "../../core/source-secret.ts";

/** How far the sender's clock may be from ours, either way; an older call may be a recording. */
const TOLERANCE_MS = 5 * 60_000;

/** Throws `SIGNATURE_INVALID` unless one of the secrets signed these bytes within the tolerance. */
export function verifyWebhook(
  { headers, body }: Delivery,
  secrets: readonly SourceSecret[],
  now: number,
): Verified & { eventId: string } {
  const eventId = required(headers, "webhook-id");
  const sentAt = required(headers, "webhook-timestamp");
  const signatures = required(headers, "webhook-signature").split(" ");
  if (!/^\d{1,12}$/.test(sentAt)) throw invalid("webhook-timestamp is not a number of seconds");
  if (Math.abs(now - Number(sentAt) * 1000) > TOLERANCE_MS)
    throw invalid("webhook-timestamp is more than 5 minutes from our clock");

  for (const { org, environment, secret } of secrets.filter(isProduction)) {
    const expected = sign(secret, `${eventId}.${sentAt}.`, body);
    if (expected && signatures.some((signature) => sameText(signature, expected)))
      return { eventId, org, environment };
  }
  throw invalid("webhook-signature fits none of our secrets");
}

/** JobCannon itself has no sandbox: what it tells is always meant. */
function isProduction({ environment }: SourceSecret): boolean {
  return environment === "production";
}

function required(headers: Delivery["headers"], name: string): string {
  const value = headers[name];
  if (value) return value;
  throw invalid(`${name} is missing`);
}

/** `v1,<base64>`; null for a secret without a key in it, since anyone can sign with an empty one. */
function sign(secret: Secret, prefix: string, body: Buffer): string | null {
  const key = Buffer.from(
    secret
      .reveal()
      .trim()
      .replace(/^whsec_/, ""),
    "base64",
  );
  if (key.length === 0) return null;
  return `v1,${createHmac("sha256", key).update(prefix).update(body).digest("base64")}`;
}

function invalid(reason: string): AppError {
  return new AppError("SIGNATURE_INVALID", reason);
}
