import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { isLoopbackAddress } from "../../shared/admin-address.ts";
import type { Secret } from "../../shared/secret.ts";

/**
 * `trusted`: somebody on this very machine, or who knows the token. `misdirected`: a browser on this machine that a page
 * from elsewhere sent here by a name of its own (DNS rebinding).
 */
export type Standing = "trusted" | "stranger" | "misdirected";

/** `token`: null where none is set, or none can be read. `ownHost`: as `serve.admin_url` names it; null where nobody did. */
export async function standingOf(
  { headers, socket }: Pick<IncomingMessage, "headers" | "socket">,
  token: () => Promise<Secret | null>,
  ownHost: string | null,
): Promise<Standing> {
  const said = /^Bearer +(\S+)$/i.exec(headers.authorization ?? "")?.[1];
  if (said !== undefined && isSame(said, await token())) return "trusted";
  if (!isLoopbackAddress(socket.localAddress ?? "")) return "stranger";
  // Who is called so came by a proxy.
  if (ownHost !== null && headers.host?.toLowerCase() === ownHost && !isOwnName(headers.host))
    return "stranger";
  if (!isOwnName(headers.host)) return "misdirected";
  // What a proxy on this machine passes on comes from anywhere.
  return FORWARDED.some((name) => headers[name] !== undefined) ? "stranger" : "trusted";
}

const FORWARDED = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];

/** As a browser of this machine names it. What is no browser may name nothing. */
function isOwnName(host: string | undefined): boolean {
  if (host === undefined) return true;
  const name = host
    .replace(/:\d+$/, "")
    .replace(/^\[|\]$/g, "")
    .toLowerCase();
  return name === "localhost" || (isIP(name) !== 0 && isLoopbackAddress(name));
}

/** In the same time however much of it is right. */
function isSame(said: string, token: Secret | null): boolean {
  if (token === null) return false;
  const [one, other] = [said, token.reveal()].map((text) => createHash("sha256").update(text).digest());
  return one !== undefined && other !== undefined && timingSafeEqual(one, other);
}
