import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { BlockList } from "node:net";
import type { Log } from "../../shared/log.ts";
import type { Secret } from "../../shared/secret.ts";
import { answer, answerText } from "../http/answer.ts";
import { pathOf } from "../http/path.ts";
import { createHttpServer, type HttpServerOptions } from "../http/server.ts";
import { standingOf } from "./access.ts";
import type { Reason } from "./context.ts";
import type { AdminPages } from "./pages.ts";

/** The admin listener, for who looks after the service: how it does, with the whole reason, and what monitoring counts. */
export interface AdminContext extends Pick<HttpServerOptions, "certificate"> {
  /** Null where none is set, or none can be read. */
  token(): Promise<Secret | null>;
  /** In one word; null when it is ready. */
  notReady(): string | null;
  /** All that stands in the way, or soon may. */
  reasons(): readonly Reason[];
  scrape(): Promise<{ type: string; text: string }>;
  /** For people. */
  pages: AdminPages;
  /** How a proxy, or a browser elsewhere, names it; null where nobody chose a name. */
  ownHost: string | null;
  /** Hears of what is a bug. */
  quiet: Pick<Log, "error">;
}

/** A scraper or two and a person's browser. */
const MOST_ADMIN_CONNECTIONS = 16;

export function createAdminServer(context: AdminContext): Server {
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    respond(context, request, response).catch((error: unknown) => {
      const reason = error instanceof Error ? (error.stack ?? error.message) : "unknown";
      context.quiet.error("the admin listener could not answer", { reason });
      answer(request, response, { status: 500, body: { error: "this cannot be told now" } });
    });
  };
  return createHttpServer({
    certificate: context.certificate,
    mostConnections: MOST_ADMIN_CONNECTIONS,
    trustedProxies: new BlockList(),
    onRequest,
    onMalformed: () => {},
  });
}

async function respond(
  { token, notReady, reasons, scrape, pages, ownHost }: AdminContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = pathOf(request.url ?? "/");
  const isPage = path === "/admin" || path.startsWith("/admin/");
  if (!isPage && request.method !== "GET" && request.method !== "HEAD")
    return answer(request, response, NOT_ALLOWED);
  if (path === "/healthz") return answer(request, response, { status: 200, body: { status: "ok" } });
  const standing = await standingOf(request, token, ownHost);
  if (standing === "misdirected") return answer(request, response, MISDIRECTED);
  if (await pages.respond(path, request, response)) return;
  if (path === "/readyz") {
    const word = notReady();
    const told = standing === "trusted" ? { reasons: reasons() } : {};
    const body = { status: word ?? "ready", ...told };
    return answer(request, response, { status: word === null ? 200 : 503, body });
  }
  if (path !== "/metrics") return answer(request, response, { status: 404, body: { error: "nothing here" } });
  if (standing === "stranger") return answer(request, response, UNAUTHORIZED);
  const { type, text } = await scrape();
  answerText(request, response, { status: 200, type, text });
}

const NOT_ALLOWED = {
  status: 405,
  body: { error: "only GET is taken here" },
  headers: { allow: "GET, HEAD" },
};
const MISDIRECTED = { status: 421, body: { error: "this listener has no such name" } };
const UNAUTHORIZED = {
  status: 401,
  body: { error: "from elsewhere a bearer token is needed: the secret serve.metrics-token" },
  headers: { "www-authenticate": "Bearer" },
};
