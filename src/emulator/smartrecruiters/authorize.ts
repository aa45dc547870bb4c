/** `/identity/oauth/allow`: the consent page a company's admin meets, and what follows from the answer. */
import { type Brand, consentPage, refusalPage } from "../consent-page.ts";
import { restoreAccount } from "../faults.ts";
import { type Call, html, type Reply } from "../http.ts";
import { CODE_MS, type ConsentRequest, grantScopes, issueCode, readConsent, sendBack } from "../oauth.ts";
import { companyOf, type SmartWorld } from "./world.ts";

export const BRAND: Brand = { name: "SmartRecruiters", color: "#1b7a43" };

const SCOPE_WORDS: Readonly<Record<string, string>> = {
  "candidates:read": "View candidates and their scorecards",
  "candidates:write": "Create, move and delete candidates",
  "assessments:read": "View assessments and be told of results",
  "assessments:write": "Request assessments and deliver results",
  "custom_fields:read": "View custom fields",
};

/** Shows the consent page, or answers it at once for `--auto-approve`. */
export function showConsent(world: SmartWorld, call: Call): Reply {
  const request = readRequest(world, call.query);
  if (typeof request === "string") return html(400, refusalPage(BRAND, request));
  if (world.options.autoApprove) return approve(world, request);
  return html(
    200,
    consentPage({
      brand: BRAND,
      account: `Company ${world.companyId ?? request.clientId}`,
      clientId: request.clientId,
      scopes: request.scopes,
      words: SCOPE_WORDS,
      action: `?${call.query}`,
      returnsTo: new URL(request.redirectUri).host,
    }),
  );
}

/** The admin pressed a button. */
export function answerConsent(world: SmartWorld, call: Call): Reply {
  const request = readRequest(world, call.query);
  if (typeof request === "string") return html(400, refusalPage(BRAND, request));
  if (new URLSearchParams(call.body).get("decision") === "approve") return approve(world, request);
  return sendBack(request, {
    error: "access_denied",
    error_description: "The user denied access to the app",
  });
}

function approve(world: SmartWorld, request: ConsentRequest): Reply {
  const company = companyOf(world, request.clientId);
  const scopes = grantScopes(request.scopes, world.grantedScopes);
  restoreAccount(world.faults, company.id);
  const expiresAt = world.clock.now() + CODE_MS;
  return sendBack(request, { code: issueCode(world.codes, { ...request, company, scopes, expiresAt }) });
}

function readRequest(world: SmartWorld, query: URLSearchParams): ConsentRequest | string {
  if (query.get("response_type") !== "code") return "response_type must be code.";
  return readConsent(query, {
    scopesFrom: ["scope"],
    checkRedirectUri: (redirectUri) => {
      const isKnown = world.redirectUris?.includes(redirectUri) ?? URL.canParse(redirectUri);
      return isKnown ? undefined : "Invalid OAuth redirect URI";
    },
  });
}
