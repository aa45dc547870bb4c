import * as v from "valibot";
import { isAppError } from "../../shared/errors.ts";
import type { Http } from "../../shared/http.ts";
import { jsonOf } from "../../shared/http-answer.ts";
import type { Secret } from "../../shared/secret.ts";
import type { TokenIssuer } from "./issuer.ts";

const Answer = v.object({
  hub_domain: v.fallback(v.nullable(v.string()), null),
  scopes: v.fallback(v.nullable(v.array(v.string())), null),
});

/** What a vendor tells of a token; each is null where it does not. */
export interface Introspected {
  /** The domain by which people know the account behind it. */
  domain: string | null;
  scopes: string[] | null;
}

const NOTHING: Introspected = { domain: null, scopes: null };

/** Never throws for the vendor's sake. */
export async function introspect(
  { http }: { http: Http },
  request: { issuer: TokenIssuer; clientSecret: Secret; accessToken: Secret; signal: AbortSignal },
): Promise<Introspected> {
  const { introspectUrl: url, clientId } = request.issuer.authorization;
  if (url === null) return NOTHING;
  const form = {
    client_id: clientId,
    client_secret: request.clientSecret,
    token: request.accessToken,
    token_type_hint: "access_token",
  };
  try {
    const answer = await http.request({ method: "POST", url, form, signal: request.signal });
    const parsed = v.safeParse(Answer, jsonOf(answer));
    if (!parsed.success) return NOTHING;
    const { hub_domain: domain, scopes } = parsed.output;
    return { domain, scopes };
  } catch (error) {
    if (isAppError(error)) return NOTHING;
    throw error;
  }
}
