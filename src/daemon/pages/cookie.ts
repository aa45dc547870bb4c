import type { IncomingMessage } from "node:http";

/** What ties a consent to the browser that asked for it: a cookie that nobody but this very host can have set. */
export interface ConsentCookie {
  /** Null for none, and for several: then somebody else put one beside ours. */
  read(request: Pick<IncomingMessage, "headers">): string | null;
  /** The value of `Set-Cookie`. */
  set(value: string): string;
}

/** As long as a person may take at the vendor's pages. */
const LIFE_S = 3_600;

/**
 * `__Host-` wants https. Over http, which is for loopback only, browsers differ in what they make of `Secure`, so that the
 * cookie has a plain name there; it is read nowhere else.
 */
export function consentCookie(publicUrl: string): ConsentCookie {
  const isSecure = !publicUrl.startsWith("http:");
  const name = isSecure ? "__Host-jc-consent" : "jc-consent";
  return {
    read: ({ headers: { cookie = "" } }) => {
      const pairs = cookie.split(";").map((pair) => pair.trim());
      const [found, ...more] = pairs.filter((pair) => pair.startsWith(`${name}=`));
      return found === undefined || more.length > 0 ? null : found.slice(name.length + 1);
    },
    set: (value) =>
      `${name}=${value}; Path=/; Max-Age=${LIFE_S}; HttpOnly; SameSite=Lax${isSecure ? "; Secure" : ""}`,
  };
}
