import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../../shared/clock.ts";
import { sameText } from "../../shared/compare-secrets.ts";
import { strangerPage, usedTwicePage, waitingPage } from "./consent-pages.ts";
import { PAGE_HEADERS, type Page, renderPage } from "../../shared/page.ts";

const LONGEST_URL = 8_192;
/** A browser that waited this long for the outcome is sent on to a page that says so. */
const PATIENCE_MS = 20_000;
/** For fetching the last page after the redirect to it. */
const LAST_PAGE_MS = 2_000;

/** Who is let through to the loopback listener, and the one visitor who waits for the outcome. */
export function redirectDesk({ clock, path, state }: { clock: Clock; path: string; state: string }) {
  const resultPath = `${path}/done`;
  const over = new AbortController();
  let hosts: string[] = [];
  let isAnswered = false;
  let outcome: Page | null = null;
  let waiting: ServerResponse | null = null;
  let pageIsOut = () => {};
  let accept: (query: URLSearchParams) => void = () => {};
  const answer = new Promise<URLSearchParams>((resolve) => {
    accept = resolve;
  });

  /** The redirect takes the code out of the address bar and the history. */
  const sendOn = () => {
    waiting?.writeHead(303, { location: resultPath, connection: "close", "cache-control": "no-store" }).end();
    waiting = null;
  };
  const sendOnLater = async () => {
    await clock.sleep(PATIENCE_MS, over.signal);
    sendOn();
  };
  const takeRedirect = (query: URLSearchParams, response: ServerResponse) => {
    if (!sameText(query.get("state") ?? "", state)) return show(response, 400, strangerPage);
    if (isAnswered) return show(response, 409, usedTwicePage);
    isAnswered = true;
    waiting = response;
    response.once("close", () => {
      if (waiting === response) waiting = null;
    });
    sendOnLater().catch(() => {});
    accept(query);
  };
  const respond = (request: IncomingMessage, response: ServerResponse) => {
    const refusal = refuse(request, hosts);
    if (refusal) return refuseWith(response, refusal);
    const url = new URL(request.url ?? "/", "http://localhost");
    if (url.pathname === path) return takeRedirect(url.searchParams, response);
    if (url.pathname !== resultPath || !isAnswered) return refuseWith(response, 404);
    if (outcome) response.once("close", pageIsOut);
    show(response, 200, outcome ?? waitingPage);
  };
  const finish = async (page: Page) => {
    outcome = page;
    if (!waiting) return;
    const out = new Promise<void>((resolve) => {
      pageIsOut = resolve;
    });
    sendOn();
    await Promise.race([out, clock.sleep(LAST_PAGE_MS, over.signal).catch(() => {})]);
  };
  return {
    answer,
    respond,
    finish,
    open: (port: number) => {
      hosts = [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`];
    },
    leave: () => over.abort(),
  };
}

/**
 * The status to refuse with, or null. A wrong Host is another site's name pointing here (DNS rebinding); browsers say
 * what kind of request it is, and only following a link can be the redirect, no image, script or fetch of a page.
 */
function refuse(request: IncomingMessage, hosts: readonly string[]): number | null {
  const { method, url = "", headers } = request;
  if (url.length > LONGEST_URL) return 414;
  if (!hosts.includes(headers.host ?? "")) return 403;
  if (method !== "GET") return 405;
  const isPage = url.startsWith("/") && URL.canParse(url, "http://localhost");
  if (!isPage || url === "/favicon.ico") return 404;
  return isNavigation(headers) ? null : 403;
}

/** False for what a page loads by itself; true where the browser does not tell. */
export function isNavigation(headers: IncomingMessage["headers"]): boolean {
  const mode = headers["sec-fetch-mode"] ?? "navigate";
  const destination = headers["sec-fetch-dest"] ?? "document";
  return mode === "navigate" && destination === "document";
}

function refuseWith(response: ServerResponse, status: number): void {
  const allow = status === 405 ? { allow: "GET" } : {};
  response.writeHead(status, { ...allow, connection: "close", "cache-control": "no-store" }).end();
}

function show(response: ServerResponse, status: number, page: Page): void {
  response.writeHead(status, { ...PAGE_HEADERS, connection: "close" }).end(renderPage(page));
}
