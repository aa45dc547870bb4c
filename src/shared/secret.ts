import { hash, timingSafeEqual } from "node:crypto";
import { inspect } from "node:util";

/**
 * A text nobody may see: prints `[redacted]` in strings, JSON and inspection.
 * `reveal()` is the one way to the text; call it only where the text leaves for its owner.
 */
export interface Secret {
  reveal(): string;
  toString(): string;
  toJSON(): string;
}

const REDACTED = "[redacted]";

export function secret(text: string): Secret {
  return Object.defineProperties(Object.create(null), {
    reveal: { value: () => text },
    toString: { value: () => REDACTED },
    toJSON: { value: () => REDACTED },
    [Symbol.toPrimitive]: { value: () => REDACTED },
    [inspect.custom]: { value: () => REDACTED },
  });
}

/** Constant in time for texts of equal length; lengths are no secret. */
export function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Tells two secrets apart without telling either; for long random ones. */
export function fingerprint(of: Secret): string {
  return hash("sha256", of.reveal()).slice(0, 16);
}
