import type { Authorization } from "../../core/authorization.ts";
import { authorizeUrl, newAttempt } from "../../oauth/consent/authorize.ts";
import { speaksOfRedirectUri } from "../../oauth/endpoint/issuer.ts";
import type { Http } from "../../shared/http.ts";

interface Asked {
  http: Http;
  authorization: Authorization;
  /** What the vendor's guide calls the error; absent where it has no name for it. */
  title: string | undefined;
  signal: AbortSignal;
}

/**
 * Does the vendor say that this redirect URI is not registered? Asks for its consent page as a browser would, without a
 * scope, so that nobody can consent by it; a vendor that looks at the address only once somebody is signed in says nothing.
 */
export async function refusesRedirectUri(
  { http, authorization, title, signal }: Asked,
  uri: string,
): Promise<boolean> {
  const url = authorizeUrl({ ...authorization, scopes: [] }, newAttempt(authorization), uri);
  const page = await http.request({ method: "GET", url, signal, headers: { accept: "text/html" } });
  const said = page.text.replaceAll(uri, "").replaceAll(encodeURIComponent(uri), "").toLowerCase();
  if (title !== undefined && said.includes(title.toLowerCase())) return true;
  return page.status >= 400 && page.status < 500 && speaksOfRedirectUri(said);
}

/** Where consent may come back to: to this machine while `connect` waits, or to the service. */
export function redirectUrisOf(
  { redirectPort, redirectPath }: Pick<Authorization, "redirectPort" | "redirectPath">,
  publicUrl: string,
): { loopback: string; published: string } {
  return {
    loopback: `http://localhost:${redirectPort}${redirectPath}`,
    published: publicUrl.replace(/\/+$/, "") + redirectPath,
  };
}
