/** What a vendor sees of a request and gives back: plain data, so that everything behind it is a function. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";

export interface Call {
  method: string;
  /** As sent (percent-encoded), without the vendor's prefix and without the query. */
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Reply {
  status: number;
  headers?: Readonly<Record<string, string>>;
  body?: string;
  /** Runs once the answer has gone out, or its connection was cut: what follows a call and is no part of it. */
  after?: () => void;
}

/** More than any call of the product; a runaway client should meet a wall, not fill the memory. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** Reads the whole request; `undefined` when its body is larger than the emulator takes. */
export async function readCall(request: IncomingMessage): Promise<Call | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const data of request) {
    const chunk: Buffer = data;
    bytes += chunk.length;
    // What is too much is read all the same, or the client would meet a reset instead of the answer.
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  if (bytes > MAX_BODY_BYTES) return undefined;
  const url = request.url ?? "/";
  const queryAt = url.indexOf("?");
  return {
    method: request.method ?? "GET",
    path: queryAt < 0 ? url : url.slice(0, queryAt),
    query: new URLSearchParams(queryAt < 0 ? "" : url.slice(queryAt + 1)),
    headers: request.headers,
    body: Buffer.concat(chunks).toString("utf8"),
  };
}

export function send(response: ServerResponse, reply: Reply): void {
  followUp(response, reply);
  response.writeHead(reply.status, reply.headers);
  response.end(reply.body);
}

/** Sees to it that `after` runs, also for a client that has gone away already. */
export function followUp(response: ServerResponse, { after }: Reply): void {
  if (!after) return;
  if (response.destroyed) after();
  else response.once("close", after);
}

export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  return {
    status,
    headers: { "content-type": "application/json;charset=utf-8", ...headers },
    body: JSON.stringify(body),
  };
}

export function html(status: number, body: string): Reply {
  return { status, headers: { "content-type": "text/html;charset=utf-8" }, body };
}

export function redirect(location: string): Reply {
  return { status: 302, headers: { location } };
}

export function empty(status: number): Reply {
  return { status };
}

/** `undefined` for text that is not JSON; JSON itself has no such value. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isStringArray(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
