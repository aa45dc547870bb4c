import * as v from "valibot";
import type { Clock } from "../../shared/clock.ts";
import { AppError } from "../../shared/errors.ts";
import type { Http, HttpRequest } from "../../shared/http.ts";
import { type HttpAnswer, jsonOf } from "../../shared/http-answer.ts";
import { type OwnedSecret, type Secret, secret } from "../../shared/secret.ts";
import type { Grant, TokenIssuer } from "./issuer.ts";
import { explainTokenError, type TokenCall } from "./token-error.ts";

interface Deps {
  http: Http;
  clock: Clock;
}

interface Client {
  issuer: TokenIssuer;
  clientSecret: OwnedSecret;
  signal?: AbortSignal;
}

/** Trades the code of a redirect for tokens. Throws `CONFIG_INVALID`, `VENDOR_*`. */
export function exchangeCode(
  deps: Deps,
  client: Client & { code: string; verifier: string | null; redirectUri: string },
): Promise<Grant> {
  const { code, verifier, redirectUri } = client;
  const call: TokenCall = { issuer: client.issuer, step: "exchange", redirectUri };
  return askForTokens(deps, client, call, {
    grant_type: "authorization_code",
    code: secret(code),
    ...(client.issuer.authorization.sendsRedirectUri === false ? {} : { redirect_uri: redirectUri }),
    ...(verifier === null ? {} : { code_verifier: secret(verifier) }),
  });
}

/** Trades a refresh token for a new access token. Throws `RECONNECT_NEEDED`, `CONFIG_INVALID`, `VENDOR_*`. */
export function refreshGrant(deps: Deps, client: Client & { refreshToken: Secret }): Promise<Grant> {
  const call: TokenCall = { issuer: client.issuer, step: "refresh" };
  return askForTokens(deps, client, call, {
    grant_type: "refresh_token",
    refresh_token: client.refreshToken,
  });
}

/**
 * A token for the app's own access, without a consent and without a refresh token: it is asked for again instead. Throws
 * `CONFIG_INVALID`, `VENDOR_*`.
 */
export function clientCredentialsGrant(deps: Deps, client: Client): Promise<Grant> {
  const { issuer } = client;
  return askForTokens(deps, client, { issuer, step: "credentials" }, { grant_type: "client_credentials" });
}

async function askForTokens(
  { http, clock }: Deps,
  { issuer, clientSecret, signal }: Client,
  call: TokenCall,
  fields: Record<string, string | Secret>,
): Promise<Grant> {
  const { tokenUrl } = issuer.authorization;
  // The life of a token is counted from before the call: the vendor's clock starts no earlier.
  const askedAt = clock.now();
  const answer = await http.request({
    method: "POST",
    url: tokenUrl,
    ...namedClient(issuer.authorization, clientSecret, fields),
    ...(signal ? { signal } : {}),
  });
  return readGrant(answer, { ...call, isOrgsSecret: clientSecret.isOrgs === true }, askedAt);
}

/** How the app names itself (RFC 6749, 2.3.1): in the body, or in a header whose two parts are form-encoded first. */
function namedClient(
  { clientId, clientAuth }: TokenIssuer["authorization"],
  clientSecret: Secret,
  fields: Record<string, string | Secret>,
): Pick<HttpRequest, "form" | "headers" | "hides"> {
  if (clientAuth !== "client_secret_basic")
    return { form: { ...fields, client_id: clientId, client_secret: clientSecret } };
  const encoded = (text: string) => new URLSearchParams([["", text]]).toString().slice(1);
  const pair = `${encoded(clientId)}:${encoded(clientSecret.reveal())}`;
  return {
    form: fields,
    headers: { authorization: secret(`Basic ${Buffer.from(pair).toString("base64")}`) },
    hides: [clientSecret],
  };
}

const TokenAnswer = v.object({
  access_token: v.pipe(v.string(), v.minLength(1)),
  refresh_token: v.optional(v.nullable(v.string())),
  expires_in: v.fallback(
    v.nullable(v.pipe(v.union([v.number(), v.string()]), v.transform(Number), v.finite())),
    null,
  ),
  scopes: v.optional(v.nullable(v.array(v.string()))),
  scope: v.optional(v.nullable(v.string())),
  hub_id: v.optional(v.unknown()),
});

/** Vendors differ in spelling and leave things out; without an access token nothing else counts. */
function readGrant(answer: HttpAnswer, call: TokenCall, askedAt: number): Grant {
  if (answer.status !== 200 && answer.status !== 201) throw explainTokenError(answer, call);
  const body = jsonOf(answer);
  if (body === undefined) throw explainTokenError(answer, call);
  const parsed = v.safeParse(TokenAnswer, body);
  if (!parsed.success) throw unexpected(answer, call);
  const { access_token, refresh_token, expires_in, scopes, scope, hub_id } = parsed.output;
  return {
    accessToken: secret(access_token),
    refreshToken: refresh_token ? secret(refresh_token) : null,
    expiresAt: expires_in === null ? null : askedAt + expires_in * 1_000,
    scopes: scopes ?? scope?.split(/[ ,]+/).filter(Boolean) ?? null,
    accountId: typeof hub_id === "number" || typeof hub_id === "string" ? String(hub_id) : null,
  };
}

/** Some vendors refuse with status 200 and an error in the body. */
function unexpected(answer: HttpAnswer, call: TokenCall): AppError {
  const explained = explainTokenError(answer, call);
  const isRefusal = explained.code !== "VENDOR_UNAVAILABLE";
  if (isRefusal) return explained;
  return new AppError("VENDOR_UNEXPECTED", `${call.issuer.label} answered without an access token`, {
    hint: "Try again; if it stays so, the vendor's token endpoint has changed.",
  });
}
