/** Codes and tokens: what was issued, to whom, and whether it still holds. */
import { randomBytes } from "node:crypto";
import type { Grant } from "./grant.ts";
import type { SmartWorld } from "./world.ts";

export function issueRefreshToken(world: SmartWorld, grant: Grant): string {
  const text = `sr-refresh-${randomBytes(32).toString("hex")}`;
  world.refreshTokens.set(text, grant);
  return text;
}

export function issueAccessToken(world: SmartWorld, grant: Grant): string {
  const text = `sr-access-${randomBytes(32).toString("hex")}`;
  world.accessTokens.set(text, { grant, expiresAt: world.clock.now() + world.accessTokenSeconds * 1_000 });
  return text;
}
