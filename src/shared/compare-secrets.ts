import { hash, timingSafeEqual } from "node:crypto";
import type { Secret } from "./secret.ts";

/** Constant in time for texts of equal length; lengths are no secret. */
export function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Tells two secrets apart without telling either; for long random ones. */
export function fingerprint(of: Secret): string {
  return hash("sha256", of.reveal()).slice(0, 16);
}
