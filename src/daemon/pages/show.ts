import type { ServerResponse } from "node:http";
import { pageHeaders, renderPage } from "../../shared/page.ts";
import type { LinkPage } from "./link-pages.ts";

/** Each of these answers once: what was answered already stays so. `HEAD` gets the headers alone. */
export function show(response: ServerResponse, page: LinkPage): void {
  if (response.headersSent) return;
  const { status } = page;
  const later = status === 503 ? { "retry-after": "60" } : {};
  response.writeHead(status, { ...pageHeaders(page), ...later, connection: "close" });
  response.end(response.req.method === "HEAD" ? undefined : renderPage(page));
}

export function leadTo(
  response: ServerResponse,
  location: string,
  headers: Record<string, string> = {},
): void {
  if (response.headersSent) return;
  const kept = { "cache-control": "no-store", "referrer-policy": "no-referrer", connection: "close" };
  response.writeHead(303, { ...headers, ...kept, location }).end();
}

export function refuse(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  response.writeHead(status, { ...headers, connection: "close", "cache-control": "no-store" }).end();
}
