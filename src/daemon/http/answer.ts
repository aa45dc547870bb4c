import type { IncomingMessage, ServerResponse } from "node:http";
import { jsonText } from "../../shared/text.ts";

/** After an answer that did not wait for the body, so much of it and for so long is still taken, and thrown away. */
const DRAINED_BYTES = 1024 * 1024;
const DRAINED_MS = 2_000;

interface Answer {
  status: number;
  headers?: Record<string, string>;
}

export function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { status, body, headers = {} }: Answer & { body: object },
): void {
  answerText(request, response, {
    status,
    headers,
    type: "application/json",
    text: `${jsonText(body)}\n`,
  });
}

/**
 * Where the body was not read the connection ends with the answer, since its bytes could not be told from a next request;
 * not at once, though: what comes in after the end would make the system throw the answer away.
 */
export function answerText(
  request: IncomingMessage,
  response: ServerResponse,
  { status, type, text, headers = {} }: Answer & { type: string; text: string },
): void {
  if (response.headersSent) return;
  const isUnread = !request.complete && hasBody(request);
  const all: Record<string, string | number> = {
    "content-type": type,
    // Without the length Node would send it in chunks, which is more work for both sides.
    "content-length": Buffer.byteLength(text),
    ...headers,
  };
  if (isUnread) all.connection = "close";
  response.writeHead(status, all);
  if (isUnread) endLater(request, response, text);
  else response.end(text);
}

function endLater(request: IncomingMessage, response: ServerResponse, text: string): void {
  response.write(text);
  drain(request, () => response.end());
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

function drain(request: IncomingMessage, onEnd: () => void): void {
  let drained = 0;
  const end = () => {
    clearTimeout(patience);
    request.off("data", count).off("end", end).off("close", end);
    onEnd();
  };
  const count = (chunk: Buffer) => {
    drained += chunk.length;
    if (drained > DRAINED_BYTES) end();
  };
  const patience = setTimeout(end, DRAINED_MS);
  request.on("error", () => {});
  request.on("data", count).on("end", end).on("close", end).resume();
}
