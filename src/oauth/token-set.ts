import * as v from "valibot";
import type { Authorization } from "../core/authorization.ts";
import { AppError } from "../shared/errors.ts";
import { type Secret, secret } from "../shared/secret.ts";
import type { Grant } from "./endpoint/issuer.ts";

/** The tokens of one connection, as they rest in the vault. */
export interface TokenSet {
  accessToken: Secret;
  refreshToken: Secret | null;
  expiresAt: number | null;
  obtainedAt: number;
  /** Since when this refresh token is in use: its life is counted from there. */
  refreshTokenAt: number;
  scopes: string[];
  /** The app they belong to: another app's client id cannot refresh them. */
  clientId: string;
  /** Asked for anew instead of refreshed; absent for those of a consent. */
  method?: "client-credentials";
  /** Set while a refresh is under way. Found by a later one, it tells that its holder died before the new pair was kept. */
  refreshBegunAt: number | null;
}

/** Tokens fresh from the vendor; what it left out stays as in `before`. */
export function tokenSetOf(grant: Grant, clientId: string, now: number, before?: TokenSet): TokenSet {
  return {
    accessToken: grant.accessToken,
    refreshToken: grant.refreshToken ?? before?.refreshToken ?? null,
    expiresAt: grant.expiresAt,
    obtainedAt: now,
    refreshTokenAt: isSameRefreshToken(grant, before) ? before.refreshTokenAt : now,
    scopes: grant.scopes ?? before?.scopes ?? [],
    clientId,
    ...(before?.method === undefined ? {} : { method: before.method }),
    refreshBegunAt: null,
  };
}

/** How old the login is and when it ends; null where it does not end by itself. */
export function loginOf(
  { refreshTokenAt, method }: TokenSet,
  { refreshTokenLifeMs }: Pick<Authorization, "refreshTokenLifeMs">,
): { since: number; endsAt: number } | null {
  if (refreshTokenLifeMs === null || method !== undefined) return null;
  return { since: refreshTokenAt, endsAt: refreshTokenAt + refreshTokenLifeMs };
}

/** Vendors that do not rotate send the same one again, or none. */
function isSameRefreshToken({ refreshToken }: Grant, before: TokenSet | undefined): before is TokenSet {
  if (before === undefined) return false;
  return refreshToken === null || refreshToken.reveal() === before.refreshToken?.reveal();
}

const time = v.nullable(v.number());
const Stored = v.object({
  accessToken: v.string(),
  refreshToken: v.nullable(v.string()),
  expiresAt: time,
  obtainedAt: v.number(),
  refreshTokenAt: v.optional(v.number()),
  scopes: v.array(v.string()),
  clientId: v.string(),
  method: v.optional(v.literal("client-credentials")),
  refreshBegunAt: time,
});

/** The one place where tokens turn into text; the text goes to the vault and nowhere else. */
export function serialize(set: TokenSet): Secret {
  const stored: v.InferOutput<typeof Stored> = {
    ...set,
    accessToken: set.accessToken.reveal(),
    refreshToken: set.refreshToken?.reveal() ?? null,
  };
  return secret(JSON.stringify(stored));
}

/** Throws `VAULT_UNAVAILABLE` when the item holds something else: never "not connected" for what is there. */
export function deserialize(item: Secret, name: string): TokenSet {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), Stored), item.reveal());
  if (!parsed.success)
    throw new AppError("VAULT_UNAVAILABLE", `The vault's item ${name} is no token set`, {
      hint: "Connect again to replace it.",
    });
  const { accessToken, refreshToken, method, ...rest } = parsed.output;
  return {
    ...rest,
    ...(method === undefined ? {} : { method }),
    refreshTokenAt: rest.refreshTokenAt ?? rest.obtainedAt,
    accessToken: secret(accessToken),
    refreshToken: refreshToken === null ? null : secret(refreshToken),
  };
}

const REFRESH_AHEAD_MS = 5 * 60_000;
/** A token with less than this left may expire on its way. */
const USABLE_MS = 10_000;

/** False when it is time to refresh. `jitter` is 0 to 1. */
export function isFresh(set: TokenSet, now: number, jitter: number): boolean {
  if (set.expiresAt === null) return true;
  return set.expiresAt - now > aheadOf(set, set.expiresAt) * (1 + jitter);
}

/** Nobody refreshes it before then, whatever the jitter; infinite where it does not end. */
export function freshUntil(set: TokenSet): number {
  return set.expiresAt === null ? Number.POSITIVE_INFINITY : set.expiresAt - 2 * aheadOf(set, set.expiresAt);
}

function aheadOf({ obtainedAt }: TokenSet, expiresAt: number): number {
  // Of a token with a short life only the last third counts as "ahead", or it would be refreshed all the time. Half of
  // "ahead" is chance: the tokens of many accounts that began at once, as after an outage, do not all end at once again.
  return Math.min(REFRESH_AHEAD_MS, (expiresAt - obtainedAt) / 6);
}

export function isExpired(set: TokenSet, now: number): boolean {
  return set.expiresAt !== null && set.expiresAt - now <= USABLE_MS;
}
