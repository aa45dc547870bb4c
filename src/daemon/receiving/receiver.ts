import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { NO_SOURCE } from "../../core/no-source.ts";
import { createIngest } from "../../flows/intake/ingest.ts";
import type { Store } from "../../store/contract/store.ts";
import type { Source } from "../../vendors/contract/source.ts";
import { answer } from "../http/answer.ts";
import { pathOf } from "../http/path.ts";
import { createHttpServer, type HttpServerOptions } from "../http/server.ts";
import type { ConsentPages } from "../pages/consent-pages.ts";
import { gatherAppends } from "./gather.ts";
import { receive, type WebhookContext } from "./receive.ts";
import { createRoom } from "./room.ts";

/** The public listener: takes webhooks and says 202 only when they are on disk. */
export interface ReceiverContext
  extends Omit<WebhookContext, "room" | "ingest">,
    Pick<HttpServerOptions, "certificate" | "mostConnections" | "trustedProxies"> {
  store: Pick<Store, "append">;
  sources: readonly Source[];
  consentPages: Pick<ConsentPages, "respond">;
  /** Why the service is not ready, in one word for strangers; null when it is. */
  notReady(): string | null;
}

/** All bodies under way together. */
const BODIES_BYTES = 64 * 1024 * 1024;

export function createReceiver(given: ReceiverContext): Server {
  const room = createRoom({ totalBytes: BODIES_BYTES, places: given.mostConnections });
  const ingest = createIngest({ store: gatherAppends(given.store), clock: given.clock });
  const webhooks: WebhookContext = { ...given, room, ingest };
  const sources = new Map(given.sources.map((source) => [source.path, source]));
  const { certificate, mostConnections, trustedProxies } = given;
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const path = pathOf(request.url ?? "/");
    const source = sources.get(path);
    if (source) return void receive(webhooks, source, request, response);
    if (path === "/healthz") return answer(request, response, { status: 200, body: { status: "ok" } });
    if (path === "/readyz") {
      const reason = given.notReady();
      const status = reason === null ? 200 : 503;
      return answer(request, response, { status, body: { status: reason ?? "ready" } });
    }
    if (given.consentPages.respond(path, request, response)) return;
    const beside = given.sources.find((each) => isBeside(each.path, path));
    if (beside) {
      given.refused(beside.id, `there is nothing at that path; webhooks go to ${beside.path}`, "call");
      given.answered({ source: beside.id, became: "refused", why: "path" });
    }
    answer(request, response, { status: 404, body: { error: "nothing here" } });
  };
  const onMalformed = (response: ServerResponse | undefined) => {
    const source = response && sources.get(pathOf(response.req.url ?? "/"));
    const id = source?.id ?? NO_SOURCE;
    given.refused(id, "the request is no HTTP that can be read", "call");
    given.answered({ source: id, became: "refused", why: "http" });
  };
  return createHttpServer({ certificate, mostConnections, trustedProxies, onRequest, onMalformed });
}

/** Meant for that source, as far as anybody can tell: its first word stands in it, in whatever case. */
function isBeside(sourcePath: string, path: string): boolean {
  const [, name] = sourcePath.split("/");
  return path
    .toLowerCase()
    .split("/")
    .includes(name ?? "");
}
