/**
 * JobCannon signs its webhooks by the Standard Webhooks scheme, and this file alone knows its header names.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import { createHmac } from "node:crypto";
import { AppError } from "../../shared/errors.ts";
import { sameText } from "../../shared/compare-secrets.ts";
import type { Secret } from "../../shared/secret.ts";
import type { WebhookSignature, Headers, Pieces } from "../contract/source.ts";

/** How far the sender's clock may be from ours, either way; an older call may be a recording. */
const TOLERANCE_MS = 5 * 60_000;

/** `v1,` and the base64 of 32 bytes. */
const SIGNATURE = /^v1,[A-Za-z0-9+/]{43}=$/;
/** A sender that rotates its key signs with two; each is compared with what each of our secrets makes. */
const MOST_SIGNATURES = 16;

/** Throws `SIGNATURE_INVALID` where a header is missing or none, or its time is outside the tolerance. */
export function claimOf(headers: Headers, now: number): WebhookSignature & { eventId: string } {
  const eventId = required(headers, "webhook-id");
  const sentAt = required(headers, "webhook-timestamp");
  const given = required(headers, "webhook-signature").split(" ");
  if (!/^\d{1,12}$/.test(sentAt)) throw invalid("webhook-timestamp is not a number of seconds");
  if (Math.abs(now - Number(sentAt) * 1000) > TOLERANCE_MS)
    throw invalid("webhook-timestamp is more than 5 minutes from our clock");
  const signatures = given.filter((each) => SIGNATURE.test(each)).slice(0, MOST_SIGNATURES);
  if (signatures.length === 0) throw misfit();

  return {
    eventId,
    isBy: ({ secret }, body) => {
      const expected = sign(secret, `${eventId}.${sentAt}.`, body);
      return expected !== null && signatures.some((signature) => sameText(signature, expected));
    },
    refusal: misfit,
  };
}

/** The headers of a webhook of ours to JobCannon. Throws `CONFIG_INVALID` where no secret has a key in it. */
export function signed(
  secrets: readonly Secret[],
  { id, at, body }: { id: string; at: number; body: string },
): Record<string, string> {
  const sentAt = String(Math.floor(at / 1_000));
  const signatures = secrets.map((each) => sign(each, `${id}.${sentAt}.`, [Buffer.from(body)]));
  const usable = signatures.filter((each) => each !== null);
  if (usable.length === 0)
    throw new AppError("CONFIG_INVALID", "no webhook secret of JobCannon has a key in it");
  return { "webhook-id": id, "webhook-timestamp": sentAt, "webhook-signature": usable.join(" ") };
}

function misfit(): AppError {
  return invalid("webhook-signature fits none of our secrets");
}

function required(headers: Headers, name: string): string {
  const value = headers[name];
  if (value) return value;
  throw invalid(`${name} is missing`);
}

/** `v1,<base64>`; null for a secret without a key in it, since anyone can sign with an empty one. */
function sign(secret: Secret, prefix: string, body: Pieces): string | null {
  const key = Buffer.from(
    secret
      .reveal()
      .trim()
      .replace(/^whsec_/, ""),
    "base64",
  );
  if (key.length === 0) return null;
  const hmac = createHmac("sha256", key).update(prefix);
  for (const piece of body) hmac.update(piece);
  return `v1,${hmac.digest("base64")}`;
}

function invalid(reason: string): AppError {
  return new AppError("SIGNATURE_INVALID", reason);
}
