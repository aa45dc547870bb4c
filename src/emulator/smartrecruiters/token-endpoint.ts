/** `POST /identity/oauth/token`: a code or a refresh token for an access token and the next refresh token. */
import { isRevoked } from "../faults.ts";
import { type Call, json, type Reply } from "../http.ts";
import { type CodeProblem, isGoodSecret, redeemCode } from "../oauth.ts";
import { oauthFailure } from "./errors.ts";
import type { Grant } from "./grant.ts";
import { issueAccessToken, issueRefreshToken } from "./tokens.ts";
import type { SmartWorld } from "./world.ts";

const CODE_PROBLEMS: Readonly<Record<CodeProblem, string>> = {
  unknown: "Unknown authorization code",
  expired: "The authorization code has expired",
  redirect: "Invalid OAuth redirect URI",
  verifier: "The code verifier does not match",
};

export function exchangeToken(world: SmartWorld, call: Call): Reply {
  if (!call.headers["content-type"]?.startsWith("application/x-www-form-urlencoded"))
    return oauthFailure(400, "invalid_request", "The body must be application/x-www-form-urlencoded");
  const form = new URLSearchParams(call.body);
  if (!form.get("client_id") || !isGoodSecret(form.get("client_secret")))
    return oauthFailure(401, "invalid_client", "Missing or invalid client credentials");
  switch (form.get("grant_type")) {
    case "authorization_code": {
      const code = redeemCode(world.codes, form, world.clock.now());
      if (typeof code === "string") return oauthFailure(400, "invalid_grant", CODE_PROBLEMS[code]);
      const { clientId, company, scopes } = code;
      return tokenReply(world, { clientId, company, scopes });
    }
    case "refresh_token":
      return refresh(world, call, form);
    default:
      return oauthFailure(400, "unsupported_grant_type", "Missing or unknown grant type");
  }
}

function refresh(world: SmartWorld, call: Call, form: URLSearchParams): Reply {
  const text = form.get("refresh_token") ?? "";
  const grant = world.refreshTokens.get(text);
  const isDead =
    !grant || grant.clientId !== form.get("client_id") || isRevoked(world.faults, call, grant.company.id);
  if (isDead) return oauthFailure(400, "invalid_grant", "The refresh token is invalid, expired or revoked");
  // Every refresh gives a new one; whether the old one dies with it depends on the app.
  if (world.oneUseTokens) world.refreshTokens.delete(text);
  return tokenReply(world, grant);
}

function tokenReply(world: SmartWorld, grant: Grant): Reply {
  return json(200, {
    access_token: issueAccessToken(world, grant),
    token_type: "bearer",
    expires_in: world.accessTokenSeconds,
    refresh_token: issueRefreshToken(world, grant),
    scope: grant.scopes.join(" "),
  });
}
