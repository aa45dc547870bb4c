import * as v from "valibot";
import { isAppError } from "../../shared/errors.ts";
import type { Http } from "../../shared/http.ts";
import { jsonOf } from "../../shared/http-answer.ts";
import type { Secret } from "../../shared/secret.ts";
import type { TokenIssuer } from "./issuer.ts";

const Answer = v.object({ hub_domain: v.fallback(v.nullable(v.string()), null) });

/** The domain by which people know the account behind a token; null where the vendor does not tell. Never throws for its sake. */
export async function accountDomain(
  { http }: { http: Http },
  request: { issuer: TokenIssuer; clientSecret: Secret; accessToken: Secret; signal: AbortSignal },
): Promise<string | null> {
  const { introspectUrl: url, clientId } = request.issuer.authorization;
  if (url === null) return null;
  const form = {
    client_id: clientId,
    client_secret: request.clientSecret,
    token: request.accessToken,
    token_type_hint: "access_token",
  };
  try {
    const answer = await http.request({ method: "POST", url, form, signal: request.signal });
    const parsed = v.safeParse(Answer, jsonOf(answer));
    return parsed.success ? parsed.output.hub_domain : null;
  } catch (error) {
    if (isAppError(error)) return null;
    throw error;
  }
}
