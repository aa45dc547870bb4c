/** Token, introspection and revocation, with the calls of the first version beside them. */
import { isRevoked } from "../faults.ts";
import { type Call, empty, json, type Reply } from "../http.ts";
import { type CodeProblem, isGoodSecret, redeemCode } from "../oauth.ts";
import { apiFailure, notFound, oauthFailure } from "./errors.ts";
import type { AccessToken, Grant } from "./grant.ts";
import { issueAccessToken, openGrant, rotateRefreshToken } from "./tokens.ts";
import type { Version } from "./path.ts";
import type { HubspotWorld } from "./world.ts";

const APP_ID = 848;
const USER_ID = 8480;
const USER = "admin@emulator.example";

export function exchangeToken(world: HubspotWorld, call: Call): Reply {
  const form = readForm(call);
  if (!(form instanceof URLSearchParams)) return form;
  const refusal = refuseClient(form);
  if (refusal) return refusal;
  switch (form.get("grant_type")) {
    case "authorization_code":
      return exchangeCode(world, form);
    case "refresh_token":
      return refresh(world, call, form);
    default:
      return oauthFailure("unsupported_grant_type", "BAD_GRANT_TYPE", "missing or unknown grant type");
  }
}

/** HubSpot's own words for what is wrong with a code. */
const CODE_PROBLEMS: Readonly<Record<CodeProblem, readonly [status: string, message: string]>> = {
  unknown: ["BAD_AUTH_CODE", "missing or unknown auth code"],
  expired: ["EXPIRED_AUTH_CODE", "the auth code has expired"],
  redirect: ["MISMATCH_REDIRECT_URI_AUTH_CODE", "redirect URI does not match initial auth code URI"],
  verifier: ["BAD_CODE_VERIFIER", "missing or invalid code verifier"],
};

function exchangeCode(world: HubspotWorld, form: URLSearchParams): Reply {
  const code = redeemCode(world.codes, form, world.clock.now());
  if (typeof code === "string") return oauthFailure("invalid_grant", ...CODE_PROBLEMS[code]);
  return tokenReply(world, openGrant(world, code));
}

function refresh(world: HubspotWorld, call: Call, form: URLSearchParams): Reply {
  const grant = world.refreshTokens.get(form.get("refresh_token") ?? "");
  const isDead =
    !grant ||
    grant.clientId !== form.get("client_id") ||
    isRevoked(world.faults, call, String(grant.portal.id));
  if (isDead)
    return oauthFailure("invalid_grant", "BAD_REFRESH_TOKEN", "refresh token is invalid, expired or revoked");
  if (world.oneUseTokens) rotateRefreshToken(world, grant);
  return tokenReply(world, grant);
}

function tokenReply(world: HubspotWorld, grant: Grant): Reply {
  return json(200, {
    access_token: issueAccessToken(world, grant),
    refresh_token: grant.refreshToken,
    expires_in: world.accessTokenSeconds,
    token_type: "bearer",
    token_use: "access_token",
    hub_id: grant.portal.id,
    user_id: USER_ID,
    ...(world.tellsScopes && { scopes: grant.scopes }),
  });
}

export function introspect(
  world: HubspotWorld,
  call: Call,
  _param: (name: string) => string,
  version: Version | undefined,
): Reply {
  const form = readForm(call);
  if (!(form instanceof URLSearchParams)) return form;
  const refusal = refuseClient(form);
  if (refusal) return refusal;
  const text = form.get("token") ?? "";
  const access = liveAccessToken(world, text);
  const grant = access?.grant ?? world.refreshTokens.get(text);
  if (!grant || isRevoked(world.faults, call, String(grant.portal.id))) return json(200, { active: false });
  // All that the description of 2026-09 promises (21 August 2026).
  const tells = world.introspection ?? (version === "2026-09" ? "active" : "whole");
  if (tells === "active") return json(200, { active: true });
  return json(200, {
    active: true,
    ...describeToken(text, grant),
    client_id: grant.clientId,
    is_private_distribution: false,
    token_use: access ? "access_token" : "refresh_token",
    ...(access && {
      app_id: APP_ID,
      expires_in: secondsLeft(world, access),
      signed_access_token: signedAccessToken(access),
    }),
  });
}

/** The same token as HubSpot's own services read it, which no app has a use for. */
function signedAccessToken({ grant, expiresAt }: AccessToken): Record<string, unknown> {
  const { portal, scopes } = grant;
  return {
    appId: APP_ID,
    appInstallId: portal.id,
    audience: "emulator",
    expiresAt,
    hubId: portal.id,
    hublet: portal.profile.dataHostingLocation,
    installingUserId: USER_ID,
    isPrivateDistribution: false,
    isServiceAccount: false,
    isUserLevel: false,
    newSignature: "emulated",
    scopeToScopeGroupPks: "",
    scopes: scopes.join(" "),
    signature: "emulated",
    trialScopeToScopeGroupPks: "",
    trialScopes: "",
    userId: USER_ID,
  };
}

/** Revoking a refresh token leaves the access tokens already issued alone; an unknown token is fine, as in RFC 7009. */
export function revoke(world: HubspotWorld, call: Call): Reply {
  const form = readForm(call);
  if (!(form instanceof URLSearchParams)) return form;
  const refusal = refuseClient(form);
  if (refusal) return refusal;
  const text = form.get("token") ?? "";
  world.refreshTokens.delete(text);
  world.accessTokens.delete(text);
  return empty(200);
}

export function describeAccessToken(world: HubspotWorld, text: string): Reply {
  const access = liveAccessToken(world, text);
  if (!access) return notFound("access token not found");
  const described = describeToken(text, access.grant);
  return json(200, { ...described, app_id: APP_ID, expires_in: secondsLeft(world, access) });
}

export function describeRefreshToken(world: HubspotWorld, text: string): Reply {
  const grant = world.refreshTokens.get(text);
  if (!grant) return notFound("refresh token not found");
  return json(200, { ...describeToken(text, grant), client_id: grant.clientId });
}

export function deleteRefreshToken(world: HubspotWorld, text: string): Reply {
  return world.refreshTokens.delete(text) ? empty(204) : notFound("refresh token not found");
}

function describeToken(text: string, { portal, scopes }: Grant): Record<string, unknown> {
  return {
    token: text,
    hub_id: portal.id,
    hub_domain: `portal-${portal.id}.emulator.example`,
    user_id: USER_ID,
    user: USER,
    scopes,
    token_type: "access",
  };
}

function liveAccessToken(world: HubspotWorld, text: string): AccessToken | undefined {
  const access = world.accessTokens.get(text);
  return access && access.expiresAt > world.clock.now() ? access : undefined;
}

function secondsLeft(world: HubspotWorld, { expiresAt }: AccessToken): number {
  return Math.floor((expiresAt - world.clock.now()) / 1_000);
}

function readForm(call: Call): URLSearchParams | Reply {
  if (!call.headers["content-type"]?.startsWith("application/x-www-form-urlencoded"))
    return apiFailure(415, { message: "the body must be application/x-www-form-urlencoded" });
  return new URLSearchParams(call.body);
}

function refuseClient(form: URLSearchParams): Reply | undefined {
  if (!form.get("client_id"))
    return oauthFailure("invalid_client", "BAD_CLIENT_ID", "missing or unknown client id");
  if (!isGoodSecret(form.get("client_secret")))
    return oauthFailure("invalid_client", "BAD_CLIENT_SECRET", "missing or invalid client secret");
  return undefined;
}
