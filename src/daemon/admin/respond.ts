import type { IncomingMessage, ServerResponse } from "node:http";
import { answerText } from "../http/answer.ts";
import { html } from "./html.ts";
import { pageHeaders, renderPage, type Shown } from "./layout.ts";

/** Shows a page, once: what was answered already stays so. */
export function showPage(
  request: IncomingMessage,
  response: ServerResponse,
  page: Shown,
  headers: Record<string, string> = {},
): void {
  const { "content-type": type = "text/html", ...rest } = pageHeaders(page);
  const text = renderPage(page);
  answerText(request, response, { status: page.status ?? 200, type, text, headers: { ...rest, ...headers } });
}

/** `location`: another address of ours, or one that a vendor's consent begins at. */
export function leadTo(
  response: ServerResponse,
  location: string,
  headers: Record<string, string> = {},
): void {
  if (response.headersSent) return;
  const kept = { "cache-control": "no-store", "referrer-policy": "origin" };
  response.writeHead(303, { ...headers, ...kept, "content-length": 0, location }).end();
}

/** A page that says one thing. */
export function plainPage(
  status: number,
  title: string,
  text: readonly string[],
  signedIn: Shown["signedIn"] = null,
): Shown {
  const body = html`<h1>${title}</h1>${text.map((line) => html`<p>${line}</p>`)}`;
  return { status, title, body, signedIn };
}
