/** The consent page an admin meets, and what follows from the answer. */
import { type Brand, consentPage, refusalPage } from "../consent-page.ts";
import { restoreAccount } from "../faults.ts";
import { type Call, html, type Reply } from "../http.ts";
import { CODE_MS, type ConsentRequest, grantScopes, issueCode, readConsent, sendBack } from "../oauth.ts";
import { type HubspotWorld, selectPortal } from "./world.ts";

const BRAND: Brand = { name: "HubSpot", color: "#c93700" };

const SCOPE_WORDS: Readonly<Record<string, string>> = {
  oauth: "Basic information about the account",
  "crm.objects.contacts.read": "View contacts",
  "crm.objects.contacts.write": "Create, change and delete contacts",
  "crm.schemas.contacts.read": "View property settings of contacts",
  "crm.schemas.contacts.write": "Create, change and delete property settings of contacts",
};

/** Shows the consent page, or answers it at once for `--auto-approve`. */
export function showConsent(world: HubspotWorld, call: Call, portalId?: string): Reply {
  choosePortal(world, portalId);
  const request = readRequest(world, call.query);
  if (typeof request === "string") return html(400, refusalPage(BRAND, request));
  if (world.options.autoApprove) return approve(world, request);
  return html(
    200,
    consentPage({
      brand: BRAND,
      account: `Portal ${world.current.id}`,
      clientId: request.clientId,
      scopes: request.scopes,
      words: SCOPE_WORDS,
      action: `?${call.query}`,
      returnsTo: new URL(request.redirectUri).host,
    }),
  );
}

/** The admin pressed a button. */
export function answerConsent(world: HubspotWorld, call: Call, portalId?: string): Reply {
  choosePortal(world, portalId);
  const request = readRequest(world, call.query);
  if (typeof request === "string") return html(400, refusalPage(BRAND, request));
  if (new URLSearchParams(call.body).get("decision") === "approve") return approve(world, request);
  return sendBack(request, {
    error: "access_denied",
    error_description: "The user denied access to the app",
  });
}

/** `/oauth/{hubId}/authorize` names the portal; a path that is no number leaves the current one. */
function choosePortal(world: HubspotWorld, portalId: string | undefined): void {
  if (portalId !== undefined && /^\d+$/.test(portalId)) selectPortal(world, Number(portalId));
}

function approve(world: HubspotWorld, request: ConsentRequest): Reply {
  const portal = world.current;
  const scopes = grantScopes(request.scopes, portal.profile.grantedScopes);
  restoreAccount(world.faults, String(portal.id));
  const expiresAt = world.clock.now() + CODE_MS;
  return sendBack(request, { code: issueCode(world.codes, { ...request, portal, scopes, expiresAt }) });
}

function readRequest(world: HubspotWorld, query: URLSearchParams): ConsentRequest | string {
  return readConsent(query, {
    scopesFrom: ["scope", "optional_scope"],
    checkRedirectUri: (redirectUri) => checkRedirectUri(redirectUri, world.redirectUris),
  });
}

function checkRedirectUri(redirectUri: string, registered: string[] | null): string | undefined {
  if (!URL.canParse(redirectUri)) return "redirect_uri is not a URL.";
  const { protocol, hostname } = new URL(redirectUri);
  if (/^[\d.]+$|^\[/.test(hostname)) return "redirect_uri must name a host; IP addresses are not allowed.";
  if (protocol !== "https:" && !(protocol === "http:" && hostname === "localhost"))
    return "redirect_uri must use https; http is allowed for localhost only.";
  if (registered && !registered.includes(redirectUri))
    return "redirect_uri does not match a redirect URL registered for this app.";
  return undefined;
}
