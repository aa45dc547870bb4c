/** The consent page an admin meets, and what follows from the answer. */
import { restoreAccount } from "../faults.ts";
import { type Call, html, redirect, type Reply } from "../http.ts";
import { consentPage, refusalPage } from "./consent-page.ts";
import { issueCode } from "./tokens.ts";
import { type HubspotWorld, selectPortal } from "./world.ts";

interface ConsentRequest {
  clientId: string;
  redirectUri: string;
  scopes: string[];
  state: string | null;
  challenge: string | undefined;
}

/** Shows the consent page, or answers it at once for `--auto-approve`. */
export function showConsent(world: HubspotWorld, call: Call, portalId?: string): Reply {
  choosePortal(world, portalId);
  const request = readRequest(world, call.query);
  if (typeof request === "string") return html(400, refusalPage(request));
  if (world.options.autoApprove) return approve(world, request);
  return html(
    200,
    consentPage({
      portalId: world.current.id,
      clientId: request.clientId,
      scopes: request.scopes,
      action: `?${call.query}`,
      returnsTo: new URL(request.redirectUri).host,
    }),
  );
}

/** The admin pressed a button. */
export function answerConsent(world: HubspotWorld, call: Call, portalId?: string): Reply {
  choosePortal(world, portalId);
  const request = readRequest(world, call.query);
  if (typeof request === "string") return html(400, refusalPage(request));
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
  const allowed = portal.profile.grantedScopes;
  const scopes = allowed ? request.scopes.filter((scope) => allowed.includes(scope)) : request.scopes;
  restoreAccount(world.faults, String(portal.id));
  return sendBack(request, { code: issueCode(world, { ...request, portal, scopes }) });
}

function sendBack({ redirectUri, state }: ConsentRequest, answer: Record<string, string>): Reply {
  const url = new URL(redirectUri);
  for (const [name, value] of Object.entries(answer)) url.searchParams.set(name, value);
  if (state !== null) url.searchParams.set("state", state);
  return redirect(url.href);
}

/** Text is what is wrong: such a request is never redirected, since its redirect URI cannot be trusted. */
function readRequest(world: HubspotWorld, query: URLSearchParams): ConsentRequest | string {
  const clientId = query.get("client_id");
  const redirectUri = query.get("redirect_uri");
  if (!clientId) return "client_id is missing.";
  if (!redirectUri) return "redirect_uri is missing.";
  const problem = checkRedirectUri(redirectUri, world.redirectUris);
  if (problem) return problem;
  const scopes = ["scope", "optional_scope"].flatMap((name) => (query.get(name) ?? "").split(" "));
  if (!query.get("scope")?.trim()) return "scope is missing.";
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
