import { clientIdKey } from "../../core/advice/app-credentials.ts";
import { AppError } from "../../shared/errors.ts";
import {
  connectAgain,
  pkceHint,
  redirectHint,
  speaksOfPkce,
  speaksOfRedirectUri,
  type TokenIssuer,
} from "../endpoint/issuer.ts";
import { quoted } from "../endpoint/token-error.ts";

/** The code in a vendor's redirect. Throws, in words an operator can act on, when consent was not given. */
export function codeFrom(answer: URLSearchParams, issuer: TokenIssuer, redirectUri: string): string {
  const error = answer.get("error");
  if (error !== null)
    throw explainRefusal(error, answer.get("error_description") ?? "", { issuer, redirectUri });
  const code = answer.get("code");
  if (code) return code;
  throw new AppError("VENDOR_UNEXPECTED", `${issuer.label} sent neither a code nor an error`, {
    hint: `Run again: ${connectAgain(issuer)}`,
  });
}

/** Vendors say the same in different codes, so the description has a say too. */
function explainRefusal(
  error: string,
  description: string,
  { issuer, redirectUri }: { issuer: TokenIssuer; redirectUri: string },
): AppError {
  const { label, authorization } = issuer;
  const again = `Run again: ${connectAgain(issuer)}`;
  const words = quoted(error, description);
  if (/allow.?list|whitelist|install(ation)? limit|not approved/i.test(description))
    return new AppError("VENDOR_REJECTED", `${label} does not let this account install the app${words}`, {
      hint: `Add the account to the app's allow list in ${label}, or raise the app's install limit. ${again}`,
    });
  if (/\badmin|marketplace access|not permitted to install/i.test(description))
    return new AppError("VENDOR_REJECTED", `${label} wants an administrator to give consent${words}`, {
      hint: `Let an administrator of the account open the link. ${again}`,
    });
  if (error === "access_denied")
    return new AppError("CANCELLED", `Consent was denied in ${label}. Nothing was changed`, {
      hint: `Once the account's admin agrees: ${connectAgain(issuer)}`,
    });
  if (error === "invalid_scope" || /scope/i.test(description))
    return new AppError("VENDOR_REJECTED", `${label} refused the scopes we ask for${words}`, {
      hint: `Give the app these scopes: ${authorization.scopes.join(" ")}. ${again}`,
    });
  if (speaksOfRedirectUri(`${error} ${description}`))
    return new AppError("CONFIG_INVALID", `${label} does not accept the redirect URI${words}`, {
      hint: redirectHint(issuer, redirectUri),
    });
  if (speaksOfPkce(`${error} ${description}`))
    return new AppError("CONFIG_INVALID", `${label} does not take how we prove who asks (PKCE)${words}`, {
      hint: `In the configuration, ${pkceHint(issuer)}. ${again}`,
    });
  if (/^(invalid_client|unauthorized_client|invalid_request)$/.test(error))
    return new AppError("CONFIG_INVALID", `${label} does not accept this app's settings${words}`, {
      hint: `Check ${clientIdKey(issuer)} and the redirect URI registered with the app.`,
    });
  if (/^(server_error|temporarily_unavailable)$/.test(error))
    return new AppError("VENDOR_UNAVAILABLE", `${label} could not ask for consent just now${words}`, {
      hint: `In a few minutes: ${connectAgain(issuer)}`,
    });
  return new AppError("VENDOR_REJECTED", `${label} did not give consent${words}`, { hint: again });
}
