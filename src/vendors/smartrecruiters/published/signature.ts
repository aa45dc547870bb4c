/** Whether a webhook is the vendor's own, over six parts. https://developers.smartrecruiters.com/docs/webhooks-security */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { SourceSecret } from "../../../core/source-secret.ts";
import { AppError } from "../../../shared/errors.ts";
import type { Headers, Pieces, WebhookSignature } from "../../contract/source.ts";

const SIGNATURE = "smartrecruiters-signature";
const TIMESTAMP = "smartrecruiters-timestamp";
/** The vendor keeps 16 keys at most; whoever sends more wants us to work. */
const MOST_PARTS = 32;

/** Is it one of the published webhooks, as far as its headers tell? */
export function isPublished(headers: Headers): boolean {
  return [SIGNATURE, "event-id", "event-name"].some((name) => headers[name] !== undefined);
}

/** Throws `SIGNATURE_INVALID` where no header holds a signature that we know how to check. */
export function claimPublished(headers: Headers): WebhookSignature {
  const given = signaturesIn(headers[SIGNATURE]);
  return {
    eventId: headers["event-id"] ?? null,
    headers: toldBy(headers),
    isBy: ({ secret }: SourceSecret, body: Pieces) => {
      const key = secret.reveal().trim();
      if (key === "") return false;
      const expected = signed(key, headers, body);
      return given.some((each) => timingSafeEqual(each, expected));
    },
    refusal: () => invalid(`${SIGNATURE} fits none of our secrets`),
  };
}

/** What the event's headers say of it; the signature covers them. */
export function toldBy(headers: Headers): Record<string, string> {
  return {
    name: headers["event-name"] ?? "",
    timestamp: headers[TIMESTAMP] ?? "",
    link: headers.link ?? "",
  };
}

/** One part per live key, `v1=<hex>`; of other schemes, which may come later, nothing is known. */
function signaturesIn(value: string | undefined): Buffer[] {
  if (!value)
    throw invalid(`${SIGNATURE} is missing: the subscription has no secret key, or something took it away`);
  const found = value
    .split(";", MOST_PARTS)
    .flatMap((part) => /^\s*v1=([0-9a-f]{64})\s*$/i.exec(part)?.[1] ?? []);
  if (found.length === 0) throw invalid(`${SIGNATURE} holds no v1 signature`);
  return found.map((hex) => Buffer.from(hex, "hex"));
}

/** A header that is not there is an empty text. */
function signed(key: string, headers: Headers, body: Pieces): Buffer {
  const hmac = createHmac("sha256", key).update(`${headers[TIMESTAMP] ?? ""}.`);
  for (const piece of body) hmac.update(piece);
  const after = ["event-id", "event-name", "event-version", "link"].map((name) => headers[name] ?? "");
  return hmac.update(`.${after.join(".")}`).digest();
}

function invalid(reason: string): AppError {
  return new AppError("SIGNATURE_INVALID", reason, {
    hint: "Is the newest secret key of the subscription in the vault? A rotation makes one more and keeps it.",
  });
}
