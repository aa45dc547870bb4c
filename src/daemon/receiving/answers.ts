/** What the end of a webhook is called, for its sender and for who counts. */
import type { IncomingMessage } from "node:http";

export interface Answer {
  status: number;
  body: object;
  headers?: Record<string, string>;
}

export interface Refusal extends Answer {
  body: { error: string };
}

export const NOT_STORED = {
  status: 503,
  body: { error: "not stored, send it again" },
  headers: { "retry-after": "5" },
};

/** What became of one; `not stored` is sent again. */
export type AnsweredWebhook = { source: string } & (
  | { became: "stored" | "known" | "erased"; tookMs: number }
  | { became: "refused"; why: RefusedFor }
  | { became: "not stored" }
  /** It brought no event: the sender greeted us, or tried whether we are here. */
  | { became: "checked" }
);

export type RefusedFor = "http" | "path" | "method" | "type" | "size" | "signature" | "content";

const REFUSED_FOR: Readonly<Record<number, RefusedFor>> = {
  400: "content",
  401: "signature",
  405: "method",
  413: "size",
  415: "type",
};

export function becameOf(status: number): { became: "refused"; why: RefusedFor } | { became: "not stored" } {
  const why = REFUSED_FOR[status];
  return why === undefined ? { became: "not stored" } : { became: "refused", why };
}

export function refuseByHeaders(request: IncomingMessage, largestBytes: number): Refusal | null {
  if (request.method !== "POST")
    return { status: 405, body: { error: "only POST is taken here" }, headers: { allow: "POST" } };
  const { "content-encoding": encoding, "content-length": length, "content-type": type } = request.headers;
  if (encoding !== undefined && encoding !== "identity")
    return { status: 415, body: { error: "a compressed body is not taken" } };
  if (!/^application\/json\s*(;|$)/i.test(type ?? ""))
    return { status: 415, body: { error: "the content type must be application/json" } };
  return Number(length) > largestBytes ? tooLarge(largestBytes) : null;
}

export function tooLarge(largestBytes: number): Refusal {
  const kib = largestBytes / 1024;
  const size = kib < 1024 ? `${kib} KiB` : `${kib / 1024} MiB`;
  return { status: 413, body: { error: `the body is over ${size}` } };
}
