/** Standard Webhooks, as JobCannon signs its events (https://www.standardwebhooks.com). */
import { createHmac, randomUUID } from "node:crypto";

const PREFIX = "whsec_";

export function isSigningSecret(text: unknown): text is string {
  if (typeof text !== "string" || !text.startsWith(PREFIX)) return false;
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text.slice(PREFIX.length));
}

export function signatureHeaders(secret: string, body: string, now: number): Record<string, string> {
  // Receivers know an event by this id for good, so it must not come again after a restart of the emulator.
  const id = `msg_${randomUUID()}`;
  const timestamp = String(Math.floor(now / 1_000));
  const key = Buffer.from(secret.slice(PREFIX.length), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
}
