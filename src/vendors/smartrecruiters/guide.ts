/** What the setup guide says about its three common errors, for whoever meets one of them. */
import { connectCommand } from "../../core/advice/command-lines.ts";
import type { Destination } from "../contract/destination.ts";
import type { CommonError, CommonErrors } from "../../core/advice/common-errors.ts";

const HEADER_IS_SENT = "Verify SmartRecruiters sends `X-SmartRecruiters-Signature` header";
const SECRET_MATCHES = "Confirm webhook secret matches the value in integration settings";
const BODY_IS_WHOLE = "Verify payload is not modified before signature validation";

const SIGNATURE_FAILED: CommonError = {
  title: "Webhook signature validation failed",
  cause: "HMAC signature is missing or incorrect",
  fixes: [HEADER_IS_SENT, SECRET_MATCHES, BODY_IS_WHOLE],
};

const DELIVERY_FORBIDDEN: CommonError = {
  title: "Assessment delivery failed (403 Forbidden)",
  cause: "OAuth scopes don't include `assessments:write`",
  fixes: [
    "Check integration scopes in SmartRecruiters",
    "If missing, re-authorize and approve all required scopes",
    "Retry assessment delivery",
  ],
};

export const COMMON_ERRORS: CommonErrors = {
  redirectUri: (uri) => ({
    title: "Invalid OAuth redirect URI",
    cause: "Registered URI doesn't match the callback URL",
    fixes: [
      `Verify SmartRecruiters shows ${uri}`,
      "Check for typos or trailing slashes",
      "Regenerate integration if needed",
    ],
  }),
  signature: SIGNATURE_FAILED,
  scope: DELIVERY_FORBIDDEN,
};

const SIGNATURE_FIXES = { header: HEADER_IS_SENT, secret: SECRET_MATCHES, body: BODY_IS_WHOLE };

/** `first`: where the fault was found. */
export function signatureHint(first: keyof typeof SIGNATURE_FIXES): string {
  return hintOf(SIGNATURE_FAILED, SIGNATURE_FIXES[first]);
}

/** Once reconnected, the results that were held go out by themselves. */
export function scopeHint(scope: string, place?: Destination["place"]): string {
  return `${hintOf({ ...DELIVERY_FORBIDDEN, cause: `OAuth scopes don't include \`${scope}\`` })} Run: ${connectCommand({ vendor: "smartrecruiters", ...place })}`;
}

function hintOf({ cause, fixes }: CommonError, first?: string): string {
  const ordered = first === undefined ? fixes : [first, ...fixes.filter((fix) => fix !== first)];
  return [cause, ...ordered].map((sentence) => `${sentence}.`).join(" ");
}
