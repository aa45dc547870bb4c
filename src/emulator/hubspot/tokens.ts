/** Codes and tokens: what was issued, to whom, and whether it still holds. */
import { randomBytes } from "node:crypto";
import type { Code, Grant } from "./grant.ts";
import type { Portal } from "./portal.ts";
import type { HubspotWorld } from "./world.ts";

export function openGrant(world: HubspotWorld, { clientId, portal, scopes }: Code): Grant {
  const grant: Grant = { clientId, portal, scopes, refreshToken: refreshTokenText() };
  world.refreshTokens.set(grant.refreshToken, grant);
  return grant;
}

/** Gives the grant a new refresh token; the old one is dead from now on. */
export function rotateRefreshToken(world: HubspotWorld, grant: Grant): void {
  world.refreshTokens.delete(grant.refreshToken);
  grant.refreshToken = refreshTokenText();
  world.refreshTokens.set(grant.refreshToken, grant);
}

export function issueAccessToken(world: HubspotWorld, grant: Grant): string {
  // As long as HubSpot's own may get: whoever stores tokens has to find room for it.
  const text = `CN${randomBytes(192).toString("base64url")}`;
  const expiresAt = world.clock.now() + world.accessTokenSeconds * 1_000;
  world.accessTokens.set(text, { grant, expiresAt });
  return text;
}

/** The app leaves the portal: all its tokens there die at once. */
export function uninstall(world: HubspotWorld, portal: Portal): void {
  for (const [text, grant] of world.refreshTokens)
    if (grant.portal === portal) world.refreshTokens.delete(text);
  for (const [text, { grant }] of world.accessTokens)
    if (grant.portal === portal) world.accessTokens.delete(text);
}

function refreshTokenText(): string {
  return `eu1-${randomBytes(32).toString("hex")}`;
}
