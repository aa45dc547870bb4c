import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

/** Changes with the layout of a sealed record; part of what is authenticated, so no record passes for another's. */
const FORMAT = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;

/** A key for one purpose (`vault`) from whatever a key file, or another secret, holds (HKDF-SHA256). */
export function deriveKey(purpose: string, material: Buffer, salt: Buffer): Buffer {
  return Buffer.from(
    hkdfSync("sha256", material, salt, ["jc-integrations", purpose, FORMAT].join(" "), KEY_BYTES),
  );
}

/** AES-256-GCM: nonce, ciphertext, tag. Bound to `name`: a record copied to another row does not open. */
export function seal(key: Buffer, name: string, text: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(boundTo(name));
  return Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
}

/** The text; null when the record was sealed with another key or for another name, or was altered since. */
export function unseal(key: Buffer, name: string, sealed: Buffer): string | null {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return null;
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const tag = sealed.subarray(-TAG_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(boundTo(name)).setAuthTag(tag);
  try {
    const text = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
    return Buffer.concat([text, decipher.final()]).toString("utf8");
  } catch {
    return null;
  }
}

function boundTo(name: string): Buffer {
  return Buffer.from(`${FORMAT}\0${name}`);
}
