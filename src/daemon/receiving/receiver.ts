import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { NO_SOURCE } from "../../core/no-source.ts";
import type { SourceSecret } from "../../core/source-secret.ts";
import { createIngest } from "../../flows/intake/ingest.ts";
import type { Clock } from "../../shared/clock.ts";
import { isAppError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { Store } from "../../store/contract/store.ts";
import {
  type Knock,
  type WebhookSignature,
  EventRefused,
  type Source,
} from "../../vendors/contract/source.ts";
import type { ConsentPages } from "../pages/consent-pages.ts";
import type { StoreTrouble } from "../trouble/store-trouble.ts";
import { answer } from "../http/answer.ts";
import { pathOf } from "../http/path.ts";
import { createHttpServer, type HttpServerOptions } from "../http/server.ts";
import { type Body, readBody } from "./body.ts";
import { gatherAppends } from "./gather.ts";
import { createRoom, type Room } from "./room.ts";

/** The public listener: takes webhooks and says 202 only when they are on disk. */
export interface ReceiverContext
  extends Pick<HttpServerOptions, "certificate" | "mostConnections" | "trustedProxies"> {
  store: Pick<Store, "append">;
  clock: Clock;
  /** For what anybody can cause, as often as he likes. */
  quiet: Pick<Log, "error">;
  sources: readonly Source[];
  /** Throws `VAULT_UNAVAILABLE` while they were never readable. `now`: look at once whether somebody changed them. */
  secretsOf(source: Source, options?: { now: boolean }): Promise<readonly SourceSecret[]>;
  /** Is any of them known by now? */
  hasSecret(source: Source): Promise<boolean>;
  /** Hears why a delivery was not trusted or not taken, in one line without anything of it. */
  refused(source: string, reason: string): void;
  /** Hears of each webhook that was answered. */
  answered(webhook: AnsweredWebhook): void;
  /** An event was stored of which its vendor is to be asked. */
  leftQuestion(): void;
  /** Do we have a subscription activated right now, so that its vendor greets us? */
  isActivating(source: Source): Promise<boolean>;
  /** Hears of each one that was trusted and stored. */
  taken(source: string): void;
  trouble: Pick<StoreTrouble, "hear">;
  consentPages: Pick<ConsentPages, "respond">;
  /** Why the service is not ready, in one word for strangers; null when it is. */
  notReady(): string | null;
}

/** All bodies under way together. */
const BODIES_BYTES = 64 * 1024 * 1024;

export function createReceiver(given: ReceiverContext): Server {
  const room = createRoom({ totalBytes: BODIES_BYTES, places: given.mostConnections });
  const ingest = createIngest({ store: gatherAppends(given.store), clock: given.clock });
  const intake: Intake = { ...given, room, ingest };
  const sources = new Map(given.sources.map((source) => [source.path, source]));
  const { certificate, mostConnections, trustedProxies } = given;
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const path = pathOf(request.url ?? "/");
    const source = sources.get(path);
    if (source) return void receive(intake, source, request, response);
    if (path === "/healthz") return answer(request, response, { status: 200, body: { status: "ok" } });
    if (path === "/readyz") {
      const reason = given.notReady();
      const status = reason === null ? 200 : 503;
      return answer(request, response, { status, body: { status: reason ?? "ready" } });
    }
    if (given.consentPages.respond(path, request, response)) return;
    const beside = given.sources.find((each) => isBeside(each.path, path));
    if (beside) {
      given.refused(beside.id, `there is nothing at that path; webhooks go to ${beside.path}`);
      given.answered({ source: beside.id, became: "refused", why: "path" });
    }
    answer(request, response, { status: 404, body: { error: "nothing here" } });
  };
  const onMalformed = (response: ServerResponse | undefined) => {
    const source = response && sources.get(pathOf(response.req.url ?? "/"));
    const id = source?.id ?? NO_SOURCE;
    given.refused(id, "the request is no HTTP that can be read");
    given.answered({ source: id, became: "refused", why: "http" });
  };
  return createHttpServer({ certificate, mostConnections, trustedProxies, onRequest, onMalformed });
}

interface Intake extends ReceiverContext {
  room: Room;
  ingest: ReturnType<typeof createIngest>;
}

/** Meant for that source, as far as anybody can tell: its first word stands in it, in whatever case. */
function isBeside(sourcePath: string, path: string): boolean {
  const [, name] = sourcePath.split("/");
  return path
    .toLowerCase()
    .split("/")
    .includes(name ?? "");
}

const NOT_STORED = {
  status: 503,
  body: { error: "not stored, send it again" },
  headers: { "retry-after": "5" },
};

async function receive(
  context: Intake,
  source: Source,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { room, ingest } = context;
  const { largestBodyBytes: largestBytes } = source;
  const beganMs = performance.now();
  const reply = (given: Answer) => {
    if (response.headersSent) return;
    context.answered({ source: source.id, ...becameOf(given.status) });
    answer(request, response, given);
  };
  const refuse = (refusal: Refusal) => {
    context.refused(source.id, refusal.body.error);
    reply(refusal);
  };
  const tooLarge = { status: 413, body: { error: `the body is over ${sizeWords(largestBytes)}` } };
  const knock = request.method === "POST" ? (source.knock?.(flat(request)) ?? null) : null;
  if (knock?.kind === "greeting") return void (await greet(context, source, { request, response, knock }));
  const refusal = refuseByHeaders(request);
  if (refusal) return refuse(refusal);
  if (Number(request.headers["content-length"]) > largestBytes) return refuse(tooLarge);
  let leave = () => {};
  // A sender that waits no longer takes no answer for a failure: what is stored late comes again, and is known then.
  const late = setTimeout(() => reply(NOT_STORED), source.answersWithinMs ?? LONGEST_TIMER_MS);
  try {
    if (knock?.kind === "check" && isShort(request, knock.body)) {
      const body = await readBody(request, { room, largestBytes });
      leave = body.leave;
      if (isText(body.pieces, knock.body)) {
        context.answered({ source: source.id, became: "checked" });
        return answer(request, response, { status: 202, body: { status: "checked" } });
      }
    }
    const claim = await claimOf(context, source, request);
    if (claim === null) return reply(NOT_STORED);
    const known = await context.secretsOf(source);
    const secrets = known.length > 0 ? known : await context.secretsOf(source, { now: true });
    if (secrets.length === 0) return reply(NOT_STORED);
    const body = await readBody(request, { room, largestBytes });
    leave = body.leave;
    if (body.pieces === "cut off") return;
    if (body.pieces === "too large") return refuse(tooLarge);
    if (body.pieces === "no room") return reply(NOT_STORED);
    const newest = () => context.secretsOf(source, { now: true });
    const ingested = await ingest(source, { claim, body: body.pieces, secrets, newest });
    const { outcome } = ingested;
    if (outcome === "failed" || outcome === "untried" || outcome === "unmarked") return reply(NOT_STORED);
    context.taken(source.id);
    if (response.headersSent) return;
    // An erased person's: taken off the sender's hands, and kept nowhere.
    const status = outcome === "erased" ? "refused" : outcome;
    answer(request, response, { status: 202, body: { status } });
    context.answered({ source: source.id, became: outcome, tookMs: performance.now() - beganMs });
    if (ingested.leavesQuestion) context.leftQuestion();
  } catch (error) {
    reply(answerTo(context, source, error));
  } finally {
    clearTimeout(late);
    leave();
  }
}

/** No sender waits so long. */
const LONGEST_TIMER_MS = 120_000;

/** Only for a subscription that we have activated now: a stranger's greeting opens nothing. */
async function greet(
  { isActivating, refused, answered, trouble }: Intake,
  source: Source,
  {
    request,
    response,
    knock,
  }: { request: IncomingMessage; response: ServerResponse; knock: Extract<Knock, { kind: "greeting" }> },
): Promise<void> {
  try {
    if (await isActivating(source)) {
      answered({ source: source.id, became: "checked" });
      return answer(request, response, { status: 200, body: {}, headers: { ...knock.answer } });
    }
  } catch (error) {
    if (!isAppError(error, "STORE_UNAVAILABLE")) throw error;
    trouble.hear(error);
    return answer(request, response, NOT_STORED);
  }
  const reason = "a greeting, while no subscription of ours is being activated";
  refused(source.id, reason);
  answered({ source: source.id, became: "refused", why: "signature" });
  answer(request, response, { status: 401, body: { error: reason } });
}

function isShort({ headers }: IncomingMessage, text: string): boolean {
  return Number(headers["content-length"]) === Buffer.byteLength(text);
}

function isText(pieces: Body["pieces"], text: string): boolean {
  return typeof pieces !== "string" && Buffer.concat(pieces).equals(Buffer.from(text));
}

/** Null where we have no secret to hold anybody to: that is no fault of the sender's. */
async function claimOf(
  { hasSecret, clock }: Intake,
  source: Source,
  request: IncomingMessage,
): Promise<WebhookSignature | null> {
  try {
    return source.claim(flat(request), clock.now());
  } catch (error) {
    if (!isAppError(error, "SIGNATURE_INVALID")) throw error;
    if (!(await hasSecret(source))) return null;
    throw error;
  }
}

function sizeWords(bytes: number): string {
  const kib = bytes / 1024;
  return kib < 1024 ? `${kib} KiB` : `${kib / 1024} MiB`;
}

interface Answer {
  status: number;
  body: object;
  headers?: Record<string, string>;
}

/** What became of one, for who counts: `not stored` is sent again. */
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

function becameOf(status: number): { became: "refused"; why: RefusedFor } | { became: "not stored" } {
  const why = REFUSED_FOR[status];
  return why === undefined ? { became: "not stored" } : { became: "refused", why };
}

interface Refusal extends Answer {
  body: { error: string };
}

function refuseByHeaders(request: IncomingMessage): Refusal | null {
  if (request.method !== "POST")
    return { status: 405, body: { error: "only POST is taken here" }, headers: { allow: "POST" } };
  const { "content-encoding": encoding, "content-type": type } = request.headers;
  if (encoding !== undefined && encoding !== "identity")
    return { status: 415, body: { error: "a compressed body is not taken" } };
  if (!/^application\/json\s*(;|$)/i.test(type ?? ""))
    return { status: 415, body: { error: "the content type must be application/json" } };
  return null;
}

function flat(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers))
    if (typeof value === "string") headers[name] = value;
  return headers;
}

function answerTo({ quiet, refused, trouble }: Intake, source: Source, error: unknown): Answer {
  if (error instanceof EventRefused) {
    refused(source.id, error.message);
    return { status: 400, body: { error: error.message } };
  }
  if (isAppError(error, "SIGNATURE_INVALID")) {
    refused(source.id, error.message);
    return { status: 401, body: { error: error.message } };
  }
  if (isAppError(error, "STORE_UNAVAILABLE")) trouble.hear(error);
  // Who watches the vault tells of it once.
  else if (!isAppError(error, "VAULT_UNAVAILABLE"))
    quiet.error("event not stored", { source: source.id, reason: reasonOf(error) });
  return NOT_STORED;
}

/** A bug shows its stack, trouble that an operator can mend its message. */
function reasonOf(error: unknown): string {
  if (isAppError(error)) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : "unknown";
}
