import type { IncomingMessage } from "node:http";
import { ADMIN_SESSION_MS, type AdminSession } from "../../core/admin.ts";
import { hashOfLink, looksLikeSecret } from "../../oauth/consent/consent-link.ts";
import { deriveKey } from "../../shared/seal.ts";
import { sameText } from "../../shared/compare-secrets.ts";
import type { Store } from "../../store/contract/store.ts";

/** Who is signed in, by a cookie that holds a secret of which the log knows the hash alone. */
export interface SignedIn extends AdminSession {
  /** Stands in every form of this session: another site's page cannot know it. */
  csrf: string;
}

export interface AdminCookie {
  /** The secret; null for none, and for several: then somebody else put one beside ours. */
  read(request: Pick<IncomingMessage, "headers">): string | null;
  set(secret: string): string;
  clear(): string;
}

/**
 * `__Host-` where it is TLS that the browser speaks: nobody but this very host can have set it. Over http on loopback
 * browsers differ in what they make of `Secure`, so that the cookie has a plain name there.
 */
export function adminCookie(isSecure: boolean): AdminCookie {
  const name = isSecure ? "__Host-jc-admin" : "jc-admin";
  // Lax: a consent leads back here from the vendor's pages.
  const attributes = `Path=/; HttpOnly; SameSite=Lax${isSecure ? "; Secure" : ""}`;
  return {
    read: ({ headers: { cookie = "" } }) => {
      const pairs = cookie.split(";").map((pair) => pair.trim());
      const [found, ...more] = pairs.filter((pair) => pair.startsWith(`${name}=`));
      const secret = found === undefined || more.length > 0 ? "" : found.slice(name.length + 1);
      return looksLikeSecret(secret) ? secret : null;
    },
    set: (secret) => `${name}=${secret}; Max-Age=${ADMIN_SESSION_MS / 1_000}; ${attributes}`,
    clear: () => `${name}=; Max-Age=0; ${attributes}`,
  };
}

/** Throws `STORE_UNAVAILABLE`. */
export async function sessionOf(
  store: Pick<Store, "adminSession">,
  secret: string | null,
  now: number,
): Promise<SignedIn | null> {
  const session = secret === null ? null : await store.adminSession(hashOfLink(secret), now);
  return secret === null || session === null ? null : { ...session, csrf: csrfOf(secret) };
}

export function isOwnForm({ csrf }: SignedIn, form: URLSearchParams): boolean {
  return sameText(form.get("csrf") ?? "", csrf);
}

function csrfOf(secret: string): string {
  return deriveKey("admin form", Buffer.from(secret), Buffer.alloc(0)).toString("base64url");
}
