import type { IncomingMessage, ServerResponse } from "node:http";
import { jsonText } from "../../shared/text.ts";

/** After an answer that did not wait for the body, so much of it and for so long is still taken, and thrown away. */
const DRAINED_BYTES = 1024 * 1024;
const DRAINED_MS = 2_000;

/**
 * Answers in JSON. Where the body was not read the connection ends with the answer, since its bytes could not be told
 * from a next request; not at once, though: what comes in after the end would make the system throw the answer away.
 */
export function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { status, body, headers = {} }: { status: number; body: object; headers?: Record<string, string> },
): void {
  if (response.headersSent) return;
  const text = `${jsonText(body)}\n`;
  const isUnread = !request.complete && hasBody(request);
  response.writeHead(status, {
    "content-type": "application/json",
    // Without the length Node would send it in chunks, which is more work for both sides.
    "content-length": Buffer.byteLength(text),
    ...headers,
    ...(isUnread ? { connection: "close" } : {}),
  });
  if (!isUnread) return void response.end(text);
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
