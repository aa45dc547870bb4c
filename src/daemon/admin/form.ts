import type { IncomingMessage } from "node:http";

const MOST_BYTES = 8 * 1024;

/** The fields of a form that a page of ours posts; null for what is none. Names that come twice count once. */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams | null> {
  const type = request.headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded") return null;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) return null;
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
}

/**
 * A page of elsewhere that posts here is found out by what browsers say of it themselves. Who says nothing at all, as curl,
 * is no browser, and nobody's page can have it post.
 */
export function isFromOwnPage({ headers }: Pick<IncomingMessage, "headers">): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin") return false;
  const { origin, referer, host } = headers;
  const said = origin ?? (site === undefined ? referer : undefined);
  if (said === undefined) return true;
  return URL.canParse(said) && new URL(said).host === host?.toLowerCase();
}
