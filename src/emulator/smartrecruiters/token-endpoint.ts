/** `POST /identity/oauth/token`: a code or a refresh token for an access token and the next refresh token. */
import { isRevoked } from "../faults.ts";
import { type Call, json, type Reply } from "../http.ts";
import { type CodeProblem, isGoodSecret, redeemCode } from "../oauth.ts";
import { oauthFailure } from "./errors.ts";
import type { Grant } from "./grant.ts";
import { issueAccessToken, issueRefreshToken } from "./tokens.ts";
import { ALL_SCOPES } from "./published/scopes.ts";
import { companyOf, type SmartWorld } from "./world.ts";

const CODE_PROBLEMS: Readonly<Record<CodeProblem, string>> = {
  unknown: "Unknown authorization code",
  expired: "The authorization code has expired",
  redirect: "Invalid OAuth redirect URI",
  verifier: "The code verifier does not match",
};

export function exchangeToken(world: SmartWorld, call: Call): Reply {
  if (!call.headers["content-type"]?.startsWith("application/x-www-form-urlencoded"))
    return oauthFailure(400, "invalid_request", "The body must be application/x-www-form-urlencoded");
  const form = withBasic(new URLSearchParams(call.body), call.headers.authorization);
  const { token } = world.published;
  if (token !== null && isPublishedAsk(world, form)) return json(200, token === "empty" ? {} : token);
  if (!form.get("client_id") || !isGoodSecret(form.get("client_secret")))
    return oauthFailure(401, "invalid_client", "Missing or invalid client credentials");
  switch (form.get("grant_type")) {
    case "authorization_code": {
      // Whether the published exchange names it is not certain; one that is named must be the same.
      const asked = world.codes.get(form.get("code") ?? "");
      if (asked && faceOf(asked.scopes).isPublished && !form.has("redirect_uri"))
        form.set("redirect_uri", asked.redirectUri);
      const code = redeemCode(world.codes, form, world.clock.now());
      if (typeof code === "string") return oauthFailure(400, "invalid_grant", CODE_PROBLEMS[code]);
      const { clientId, company, scopes } = code;
      return tokenReply(world, { clientId, company, scopes, ...faceOf(scopes) });
    }
    case "refresh_token":
      return refresh(world, call, form);
    case "client_credentials":
      return ownAccess(world, form.get("client_id") ?? "");
    default:
      return oauthFailure(400, "unsupported_grant_type", "Missing or unknown grant type");
  }
}

function refresh(world: SmartWorld, call: Call, form: URLSearchParams): Reply {
  const text = form.get("refresh_token") ?? "";
  const grant = world.refreshTokens.get(text);
  const isDead =
    !grant ||
    (grant.refreshEndsAt ?? Number.POSITIVE_INFINITY) <= world.clock.now() ||
    grant.clientId !== form.get("client_id") ||
    isRevoked(world.faults, call, grant.company.id);
  if (isDead) return oauthFailure(400, "invalid_grant", "The refresh token is invalid, expired or revoked");
  // Every refresh gives a new one; whether the old one dies with it depends on the app.
  if (world.oneUseTokens || grant.isPublished) world.refreshTokens.delete(text);
  return tokenReply(world, grant);
}

/** Credentials of one customer: a system user of that company, and no refresh token. */
function ownAccess(world: SmartWorld, clientId: string): Reply {
  const company = companyOf(world, clientId);
  const scopes = [...(world.grantedScopes ?? ALL_SCOPES)];
  const grant: Grant = { clientId, company, scopes, isPublished: true };
  return json(200, {
    access_token: issueAccessToken(world, grant),
    token_type: "bearer",
    expires_in: world.accessTokenSeconds,
    ...(world.published.tellsScopes ? { scope: scopes.join(" ") } : {}),
  });
}

function tokenReply(world: SmartWorld, given: Grant): Reply {
  const refreshEndsAt = world.clock.now() + REFRESH_DAYS * 24 * 3_600_000;
  const grant = given.isPublished ? { ...given, refreshEndsAt } : given;
  return json(200, {
    access_token: issueAccessToken(world, grant),
    token_type: "bearer",
    expires_in: world.accessTokenSeconds,
    refresh_token: issueRefreshToken(world, grant),
    ...(!grant.isPublished || world.published.tellsScopes ? { scope: grant.scopes.join(" ") } : {}),
  });
}

const REFRESH_DAYS = 28;

/** The published scopes have no colons. */
function faceOf(scopes: readonly string[]): Pick<Grant, "isPublished"> {
  return scopes.some((scope) => scope.includes(":")) ? {} : { isPublished: true };
}

function isPublishedAsk({ codes, refreshTokens }: SmartWorld, form: URLSearchParams): boolean {
  const code = codes.get(form.get("code") ?? "");
  const grant = refreshTokens.get(form.get("refresh_token") ?? "");
  return form.get("grant_type") === "client_credentials" || grant?.isPublished === true
    ? true
    : code !== undefined && faceOf(code.scopes).isPublished === true;
}

/** RFC 6749, 2.3.1: both parts are form-encoded first. */
function withBasic(form: URLSearchParams, header: string | undefined): URLSearchParams {
  const [, encoded] = /^Basic (\S+)$/i.exec(header ?? "") ?? [];
  if (encoded === undefined) return form;
  const [id = "", secret = ""] = Buffer.from(encoded, "base64").toString("utf8").split(":");
  const decoded = (text: string) => decodeURIComponent(text.replaceAll("+", " "));
  const named = new URLSearchParams(form);
  named.set("client_id", decoded(id));
  named.set("client_secret", decoded(secret));
  return named;
}
