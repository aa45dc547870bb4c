/** Codes and tokens: what was issued, to whom, and whether it still holds. */
import { randomBytes } from "node:crypto";
import type { AuthCode } from "../oauth.ts";
import type { Company } from "./company.ts";
import type { SmartWorld } from "./world.ts";

export interface Code extends AuthCode {
  company: Company;
}

/** One consent: an app in a company. */
export interface Grant {
  clientId: string;
  company: Company;
  scopes: string[];
}

export interface AccessToken {
  grant: Grant;
  expiresAt: number;
}

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
