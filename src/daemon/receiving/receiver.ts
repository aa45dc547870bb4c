import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { SourceSecret } from "../../core/source-secret.ts";
import { ingest } from "../../flows/intake/ingest.ts";
import type { Clock } from "../../shared/clock.ts";
import { isAppError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { Store } from "../../store/contract/store.ts";
import { EventRefused, type Source } from "../../vendors/contract/source.ts";
import type { ConsentCallback } from "../pages/consent-callback.ts";
import type { StoreTrouble } from "../trouble/store-trouble.ts";
import { gatherAppends } from "./gather.ts";

/** The public listener: takes webhooks and says 202 only when they are on disk. */
export interface ReceiverContext {
  store: Pick<Store, "append">;
  clock: Clock;
  log: Log;
  sources: readonly Source[];
  /** Throws `VAULT_UNAVAILABLE` while they were never readable. `again`: look whether there are newer ones. */
  secretsOf(source: Source, options?: { again: boolean }): Promise<readonly SourceSecret[]>;
  /** Hears why a delivery was not trusted or not taken, in one line without anything of it. */
  refused(source: string, reason: string): void;
  trouble: Pick<StoreTrouble, "hear">;
  callback: Pick<ConsentCallback, "respond">;
  /** Why the service is not ready, in words; null when it is. */
  notReady(): string | null;
}

const LARGEST_BODY_BYTES = 1024 * 1024;

export function createReceiver(given: ReceiverContext): Server {
  const context = { ...given, store: gatherAppends(given.store) };
  const sources = new Map(context.sources.map((source) => [source.path, source]));
  const server = createServer((request, response) => {
    const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
    const source = sources.get(path);
    if (source) return void receive(context, source, request, response);
    if (path === "/healthz") return answer(response, 200, { status: "ok" });
    if (path === "/readyz") {
      const reason = context.notReady();
      return answer(response, reason === null ? 200 : 503, { status: reason ?? "ready" });
    }
    if (context.callback.respond(path, request, response)) return;
    request.resume();
    answer(response, 404, { error: "nothing here" });
  });
  server.headersTimeout = 10_000;
  server.requestTimeout = 20_000;
  // Longer than a proxy keeps its idle connections, so that it never meets one that we just closed.
  server.keepAliveTimeout = 75_000;
  server.maxConnections = 10_000;
  return server;
}

async function receive(
  context: ReceiverContext,
  source: Source,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const refusal = refuseByHeaders(request);
  if (refusal) return refuseUnread(request, response, refusal.status, refusal.error);
  try {
    const body = await readBody(request);
    if (body === "too large") return refuseUnread(request, response, 413, "the body is over 1 MiB");
    if (body === "cut off") return;
    const result = await ingestWithNewestSecrets(context, source, { headers: flat(request), body });
    if (result.outcome === "failed")
      return answer(response, 503, { error: "not stored, send it again" }, { "retry-after": "5" });
    answer(response, 202, { status: result.outcome });
  } catch (error) {
    answerError(context, source, response, error);
  }
}

/** A signature that none of the secrets in memory made may be made with one that was set since. */
async function ingestWithNewestSecrets(
  context: ReceiverContext,
  source: Source,
  delivery: { headers: Record<string, string>; body: Buffer },
) {
  try {
    return await ingest(context, source, { delivery, secrets: await context.secretsOf(source) });
  } catch (error) {
    if (!isAppError(error, "SIGNATURE_INVALID")) throw error;
    return await ingest(context, source, {
      delivery,
      secrets: await context.secretsOf(source, { again: true }),
    });
  }
}

function refuseByHeaders(request: IncomingMessage): { status: number; error: string } | null {
  if (request.method !== "POST") return { status: 405, error: "only POST is taken here" };
  const { "content-encoding": encoding, "content-type": type, "content-length": length } = request.headers;
  if (encoding !== undefined && encoding !== "identity")
    return { status: 415, error: "a compressed body is not taken" };
  if (!/^application\/json\s*(;|$)/i.test(type ?? ""))
    return { status: 415, error: "the content type must be application/json" };
  if (Number(length) > LARGEST_BODY_BYTES) return { status: 413, error: "the body is over 1 MiB" };
  return null;
}

/** Answers without reading what still comes, and ends the connection: its bytes could not be told from a next request. */
function refuseUnread(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  error: string,
): void {
  answer(response, status, { error }, { connection: "close", ...(status === 405 ? { allow: "POST" } : {}) });
  request.resume();
  response.once("finish", () => request.destroy());
}

function readBody(request: IncomingMessage): Promise<Buffer | "too large" | "cut off"> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= LARGEST_BODY_BYTES) chunks.push(chunk);
      else resolve("too large");
    });
    request.on("end", () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    request.on("error", () => resolve("cut off"));
    request.on("close", () => resolve("cut off"));
  });
}

function flat(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers))
    if (typeof value === "string") headers[name] = value;
  return headers;
}

function answerError(
  { log, refused, trouble }: ReceiverContext,
  source: Source,
  response: ServerResponse,
  error: unknown,
): void {
  if (error instanceof EventRefused) {
    log.warn("event refused", { source: source.id, reason: error.message });
    refused(source.id, error.message);
    answer(response, 400, { error: error.message });
  } else if (isAppError(error, "SIGNATURE_INVALID")) {
    log.warn("signature refused", { source: source.id, reason: error.message });
    refused(source.id, error.message);
    answer(response, 401, { error: error.message });
  } else {
    if (isAppError(error, "STORE_UNAVAILABLE")) trouble.hear(error);
    else log.error("event not stored", { source: source.id, reason: reasonOf(error) });
    answer(response, 503, { error: "not stored, send it again" }, { "retry-after": "5" });
  }
}

/** A bug shows its stack, trouble that an operator can mend its message. */
function reasonOf(error: unknown): string {
  if (isAppError(error)) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : "unknown";
}

function answer(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): void {
  if (response.headersSent) return;
  const text = `${JSON.stringify(body)}\n`;
  // Without the length Node would send it in chunks, which is more work for both sides.
  const length = Buffer.byteLength(text);
  response
    .writeHead(status, { "content-type": "application/json", "content-length": length, ...headers })
    .end(text);
}
