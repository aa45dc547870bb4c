/** Everything the HubSpot side knows: its portals and what it has issued to apps. */
import { isoTime } from "../../shared/clock.ts";
import { AppError } from "../../shared/errors.ts";
import { parseRateLimit, type RateLimit } from "../rate-limit.ts";
import type { VendorContext } from "../vendor.ts";
import { createPortal, DEFAULT_PORTAL_ID, DEFAULT_PROFILE, type Portal } from "./portal.ts";
import type { AccessToken, Code, Grant } from "./grant.ts";

export type Introspection = (typeof INTROSPECTIONS)[number];
export const INTROSPECTIONS = ["whole", "active"] as const;

export interface HubspotWorld extends VendorContext {
  limit: RateLimit;
  portals: Map<number, Portal>;
  /** The portal whose admin answers the next consent page, and which settings and control calls mean. */
  current: Portal;
  /** Registered with the app; `null` is any. */
  redirectUris: string[] | null;
  /** Whether a refresh gives a new refresh token and ends the old one. */
  oneUseTokens: boolean;
  accessTokenSeconds: number;
  /** Whether token answers name the scopes. */
  tellsScopes: boolean;
  /** What introspection tells; null: all, and in 2026-09 no more than its description promises. */
  introspection: Introspection | null;
  codes: Map<string, Code>;
  refreshTokens: Map<string, Grant>;
  accessTokens: Map<string, AccessToken>;
}

export function createWorld(context: VendorContext): HubspotWorld {
  const limit = parseRateLimit(context.options.hubspotLimit ?? "110/10s");
  if (!limit) {
    const hint = 'write it as "100/10s", or "none"';
    throw new AppError("USAGE", `"${context.options.hubspotLimit}" is no rate limit`, { hint });
  }
  const current = createPortal(DEFAULT_PORTAL_ID, DEFAULT_PROFILE, isoTime(context.clock.now()));
  return {
    ...context,
    limit,
    portals: new Map([[current.id, current]]),
    current,
    redirectUris: null,
    oneUseTokens: false,
    accessTokenSeconds: 1_800,
    tellsScopes: true,
    introspection: null,
    codes: new Map(),
    refreshTokens: new Map(),
    accessTokens: new Map(),
  };
}

/** Makes this portal the current one. A new one starts with the profile of the one before, as settings are one list. */
export function selectPortal(world: HubspotWorld, id: number): void {
  const portal = world.portals.get(id) ?? createPortal(id, world.current.profile, isoTime(world.clock.now()));
  world.portals.set(id, portal);
  world.current = portal;
}
