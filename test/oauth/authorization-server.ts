/** A certified OAuth server (oidc-provider) in a vendor's place: PKCE with S256 is required, a refresh token works once. */
import { once } from "node:events";
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import Provider, { type Context } from "oidc-provider";
import { onTestFinished } from "vitest";
import type { Authorization } from "../../src/core/authorization.ts";

import { visit } from "./browser.ts";

export const RIGHT_SECRET = "the-right-secret-of-our-app";

/** Where a vendor has its endpoints, and what it knows of our app. */
export interface Registered extends Pick<Authorization, "clientId" | "scopes"> {
  paths: { authorization: string; token: string; revocation?: string };
  redirectUri: string;
  /** How the app names itself; in the body unless given. */
  clientAuth?: "client_secret_post" | "client_secret_basic";
}

export interface AuthorizationServer {
  base: string;
  /** What the token endpoint was asked, in order. */
  asked: { grant: string; isTaken: boolean }[];
  /** The next answer of the token endpoint is lost on its way; the server has done its work. */
  loseAnswer(): void;
}

export async function authorizationServer(app: Registered): Promise<AuthorizationServer> {
  let isLosing = false;
  const listener = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://host").pathname;
    if (path.startsWith("/interaction/"))
      return void provider.interactionFinished(request, response, { login: { accountId: "ann" } });
    if (path === app.paths.token && isLosing) {
      isLosing = false;
      response.end = () => {
        request.socket.destroy();
        return response;
      };
    }
    provider.callback()(request, response);
  }).listen(0, "127.0.0.1");
  await once(listener, "listening");
  onTestFinished(() => {
    listener.closeAllConnections();
    listener.close();
  });
  const base = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  const provider = providerAt(base, app);
  const asked: AuthorizationServer["asked"] = [];
  for (const isTaken of [true, false]) {
    provider.on(isTaken ? "grant.success" : "grant.error", ({ oidc }) =>
      asked.push({ grant: oidc.params.grant_type ?? "", isTaken }),
    );
  }
  return {
    base,
    asked,
    loseAnswer: () => {
      isLosing = true;
    },
  };
}

function providerAt(
  base: string,
  { clientId, scopes, paths, redirectUri, clientAuth = "client_secret_post" }: Registered,
): Provider {
  const provider: Provider = new Provider(base, {
    clients: [
      {
        client_id: clientId,
        client_secret: RIGHT_SECRET,
        redirect_uris: [redirectUri],
        grant_types: ["authorization_code", "refresh_token", "client_credentials"],
        response_types: ["code"],
        token_endpoint_auth_method: clientAuth,
        id_token_signed_response_alg: "ES256",
      },
    ],
    routes: paths,
    scopes,
    pkce: { required: () => true, methods: ["S256"] },
    rotateRefreshToken: true,
    issueRefreshToken: () => true,
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true },
      clientCredentials: { enabled: true },
    },
    interactions: { url: (_context: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    // Whoever has signed in has said yes.
    loadExistingGrant: async ({ oidc }: Context) => {
      const { client, session, params } = oidc;
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope(params.scope ?? "");
      await grant.save();
      return grant;
    },
    cookies: { keys: ["of this test"] },
    jwks: { keys: [temporaryKey()] },
  });
  return provider;
}

/** A person's browser, which keeps cookies, up to where it is sent back to us. */
export async function consentAt(url: string, redirectUri: string): Promise<URL> {
  const cookies = new Map<string, string>();
  let at = url;
  for (let steps = 0; steps < 10; steps += 1) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const { headers, body } = await visit(at, { headers: { cookie } });
    for (const set of [headers["set-cookie"] ?? []].flat()) {
      const [name = "", value = ""] = (set.split(";")[0] ?? "").split("=");
      cookies.set(name, value);
    }
    if (typeof headers.location !== "string") throw new Error(`the consent ended at ${at}: ${body}`);
    at = new URL(headers.location, at).href;
    if (at.startsWith(redirectUri)) return new URL(at);
  }
  throw new Error("the consent goes in circles");
}

/** Signs what nobody here asks for; without one the server complains. */
function temporaryKey(): object {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { ...privateKey.export({ format: "jwk" }), use: "sig", alg: "ES256" };
}
