import { isAppError } from "../../shared/errors.ts";
import type { Http } from "../../shared/http.ts";
import type { Secret } from "../../shared/secret.ts";
import type { TokenIssuer } from "./issuer.ts";

/** What became of a token on the vendor's side. `failed` holds the reason in words. */
export type Revocation = { kind: "revoked" } | { kind: "not_offered" } | { kind: "failed"; reason: string };

/**
 * Tells the vendor to forget a refresh token. Never throws for the vendor's sake: a disconnect goes on without it,
 * and says so. A token the vendor does not know is as good as revoked (RFC 7009).
 */
export async function revokeToken(
  { http }: { http: Http },
  request: { issuer: TokenIssuer; clientSecret: Secret; refreshToken: Secret; signal?: AbortSignal },
): Promise<Revocation> {
  const { issuer, clientSecret, refreshToken, signal } = request;
  const { revokeUrl, clientId } = issuer.authorization;
  if (revokeUrl === null) return { kind: "not_offered" };
  try {
    const answer = await http.request({
      method: "POST",
      url: revokeUrl,
      form: {
        client_id: clientId,
        client_secret: clientSecret,
        token: refreshToken,
        token_type_hint: "refresh_token",
      },
      ...(signal ? { signal } : {}),
    });
    if (answer.status < 300 || answer.status === 404) return { kind: "revoked" };
    return { kind: "failed", reason: `${issuer.label} answered ${answer.status}` };
  } catch (error) {
    if (!isAppError(error)) throw error;
    return { kind: "failed", reason: error.message };
  }
}
