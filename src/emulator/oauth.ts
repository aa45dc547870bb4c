/** The authorization code flow as far as the vendors agree on it: the consent's request, the way back, the code. */
import { createHash, randomBytes } from "node:crypto";
import { type Reply, redirect } from "./http.ts";

export interface ConsentRequest {
  clientId: string;
  redirectUri: string;
  scopes: string[];
  state: string | null;
  /** S256 of the code verifier, when the request carried one. */
  challenge: string | undefined;
}

/** Text is what is wrong: such a request is never redirected, since its redirect URI cannot be trusted. */
export function readConsent(
  query: URLSearchParams,
  vendor: {
    scopesFrom: readonly string[];
    /** Gives back what is wrong with it. */
    checkRedirectUri(redirectUri: string): string | undefined;
  },
): ConsentRequest | string {
  const clientId = query.get("client_id");
  const redirectUri = query.get("redirect_uri");
  if (!clientId) return "client_id is missing.";
  if (!redirectUri) return "redirect_uri is missing.";
  const problem = vendor.checkRedirectUri(redirectUri);
  if (problem) return problem;
  if (!query.get("scope")?.trim()) return "scope is missing.";
  const scopes = vendor.scopesFrom.flatMap((name) => (query.get(name) ?? "").split(" "));
  const challenge = query.get("code_challenge") ?? undefined;
  if (challenge !== undefined && query.get("code_challenge_method") !== "S256")
    return "code_challenge_method must be S256.";
  return {
    clientId,
    redirectUri,
    scopes: [...new Set(scopes.filter((scope) => scope !== ""))],
    state: query.get("state"),
    challenge,
  };
}

/** What the account's admin lets the app have; `null` is all it asked for. */
export function grantScopes(asked: string[], allowed: readonly string[] | null): string[] {
  return allowed ? asked.filter((scope) => allowed.includes(scope)) : asked;
}

export function sendBack({ redirectUri, state }: ConsentRequest, answer: Record<string, string>): Reply {
  const url = new URL(redirectUri);
  for (const [name, value] of Object.entries(answer)) url.searchParams.set(name, value);
  if (state !== null) url.searchParams.set("state", state);
  return redirect(url.href);
}

export interface AuthCode {
  clientId: string;
  redirectUri: string;
  scopes: string[];
  challenge: string | undefined;
  expiresAt: number;
}

/** How long a code may wait for its exchange. */
export const CODE_MS = 60_000;

export function issueCode<C extends AuthCode>(codes: Map<string, C>, code: C): string {
  const text = randomBytes(24).toString("base64url");
  codes.set(text, code);
  return text;
}

export type CodeProblem = "unknown" | "expired" | "redirect" | "verifier";

/** A code is spent by the first try of its own client, also by one that fails. */
export function redeemCode<C extends AuthCode>(
  codes: Map<string, C>,
  form: URLSearchParams,
  now: number,
): C | CodeProblem {
  const text = form.get("code") ?? "";
  const code = codes.get(text);
  if (!code || code.clientId !== form.get("client_id")) return "unknown";
  codes.delete(text);
  if (code.expiresAt <= now) return "expired";
  if (code.redirectUri !== form.get("redirect_uri")) return "redirect";
  if (code.challenge !== undefined && code.challenge !== sha256(form.get("code_verifier") ?? ""))
    return "verifier";
  return code;
}

/** Any client is known here; only the secret `wrong` is wrong, so that tests can meet that answer. */
export function isGoodSecret(secret: string | null): boolean {
  return secret !== null && secret !== "" && secret !== "wrong";
}

function sha256(verifier: string): string {
  return createHash("sha256").update(verifier).digest("base64url");
}
