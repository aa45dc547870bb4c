import type { IncomingMessage, ServerResponse } from "node:http";
import type { RefusalKind } from "../../core/advice/refused-sources.ts";
import type { SourceSecret } from "../../core/source-secret.ts";
import type { createIngest } from "../../flows/intake/ingest.ts";
import type { Clock } from "../../shared/clock.ts";
import { isAppError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import {
  EventRefused,
  type Headers,
  type Knock,
  type Pieces,
  type Source,
  type WebhookSignature,
} from "../../vendors/contract/source.ts";
import { answer } from "../http/answer.ts";
import type { StoreTrouble } from "../trouble/store-trouble.ts";
import {
  type Answer,
  type AnsweredWebhook,
  becameOf,
  NOT_STORED,
  type Refusal,
  refuseByHeaders,
  tooLarge,
} from "./answers.ts";
import { type Body, readBody } from "./body.ts";
import type { Room } from "./room.ts";

export interface WebhookContext {
  clock: Clock;
  room: Room;
  ingest: ReturnType<typeof createIngest>;
  /** For what anybody can cause, as often as he likes. */
  quiet: Pick<Log, "error">;
  /** Throws `VAULT_UNAVAILABLE` while they were never readable. `now`: look at once whether somebody changed them. */
  secretsOf(source: Source, options?: { now: boolean }): Promise<readonly SourceSecret[]>;
  /** Is any of them known by now? */
  hasSecret(source: Source): Promise<boolean>;
  /** Hears why a delivery was not trusted or not taken, in one line without anything of it. */
  refused(source: string, reason: string, kind: RefusalKind): void;
  /** Hears of each webhook that was answered. */
  answered(webhook: AnsweredWebhook): void;
  /** An event was stored of which its vendor is to be asked. */
  leftQuestion(): void;
  /** Do we have a subscription activated right now, so that its vendor greets us? */
  isActivating(source: Source): Promise<boolean>;
  /** Hears of each one that was trusted and stored. */
  taken(source: string): void;
  trouble: Pick<StoreTrouble, "hear">;
}

interface Call {
  source: Source;
  headers: Headers;
  request: IncomingMessage;
  response: ServerResponse;
  /** As `performance.now()` has it. */
  beganMs: number;
}

/** One webhook, from its headers to its answer: nothing of a body is read before they allow it. */
export async function receive(
  context: WebhookContext,
  source: Source,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const call = { source, headers: flat(request), request, response, beganMs: performance.now() };
  const knock = request.method === "POST" ? (source.knock?.(call.headers) ?? null) : null;
  if (knock?.kind === "greeting") return await greet(context, call, knock);
  const refusal = refuseByHeaders(request, source.largestBodyBytes);
  if (refusal) return refuse(context, call, refusal);
  // A sender that waits no longer takes no answer for a failure: what is stored late comes again, and is known then.
  const late = setTimeout(() => reply(context, call, NOT_STORED), source.answersWithinMs ?? LONGEST_TIMER_MS);
  try {
    if (knock && (await wasCheck(context, call, knock.body))) return;
    await take(context, call);
  } catch (error) {
    answerError(context, call, error);
  } finally {
    clearTimeout(late);
  }
}

/** No sender waits so long. */
const LONGEST_TIMER_MS = 120_000;

async function take(context: WebhookContext, call: Call): Promise<void> {
  const claim = await claimOf(context, call);
  if (claim === null) return;
  const secrets = await knownSecrets(context, call.source);
  if (secrets.length === 0) return reply(context, call, NOT_STORED);
  await withBody(context, call, async (pieces) => {
    if (pieces === "cut off") return;
    if (pieces === "too large") return refuse(context, call, tooLarge(call.source.largestBodyBytes));
    if (pieces === "no room") return reply(context, call, NOT_STORED);
    await store(context, call, { claim, secrets, body: pieces });
  });
}

async function store(
  context: WebhookContext,
  call: Call,
  signed: { claim: WebhookSignature; secrets: readonly SourceSecret[]; body: Pieces },
): Promise<void> {
  const { source, request, response, beganMs } = call;
  const newest = () => context.secretsOf(source, { now: true });
  const ingested = await context.ingest(source, { ...signed, newest });
  const { outcome } = ingested;
  if (outcome === "failed" || outcome === "untried" || outcome === "unmarked")
    return reply(context, call, NOT_STORED);
  context.taken(source.id);
  if (response.headersSent) return;
  // An erased person's: taken off the sender's hands, and kept nowhere.
  const status = outcome === "erased" ? "refused" : outcome;
  answer(request, response, { status: 202, body: { status } });
  context.answered({ source: source.id, became: outcome, tookMs: performance.now() - beganMs });
  if (ingested.leavesQuestion) context.leftQuestion();
}

async function knownSecrets({ secretsOf }: WebhookContext, source: Source) {
  const known = await secretsOf(source);
  return known.length > 0 ? known : await secretsOf(source, { now: true });
}

/** The signature that the headers hold; null once they were answered. Whoever has no secret for a source blames no sender. */
async function claimOf(context: WebhookContext, call: Call): Promise<WebhookSignature | null> {
  const { source, headers } = call;
  try {
    return source.claim(headers, context.clock.now());
  } catch (error) {
    if (!isAppError(error, "SIGNATURE_INVALID")) throw error;
    if (await context.hasSecret(source)) refuse(context, call, refusalFor(401, error));
    else reply(context, call, NOT_STORED);
    return null;
  }
}

/** A body counts as under way until `use` is done with it. */
async function withBody<Used>(
  { room }: WebhookContext,
  { source, request }: Call,
  use: (pieces: Body["pieces"]) => Promise<Used>,
): Promise<Used> {
  const { pieces, leave } = await readBody(request, { room, largestBytes: source.largestBodyBytes });
  try {
    return await use(pieces);
  } finally {
    leave();
  }
}

/** Only for a subscription that we have activated now: a stranger's greeting opens nothing. */
async function greet(
  context: WebhookContext,
  call: Call,
  knock: Extract<Knock, { kind: "greeting" }>,
): Promise<void> {
  const { source, request, response } = call;
  try {
    if (await context.isActivating(source)) {
      context.answered({ source: source.id, became: "checked" });
      return answer(request, response, { status: 200, body: {}, headers: { ...knock.answer } });
    }
  } catch (error) {
    if (!isAppError(error, "STORE_UNAVAILABLE")) throw error;
    context.trouble.hear(error);
    return answer(request, response, NOT_STORED);
  }
  refuse(context, call, {
    status: 401,
    body: { error: "a greeting, while no subscription of ours is being activated" },
  });
}

/** Was it the sender's own try of a receiver, and answered as one? */
async function wasCheck(context: WebhookContext, call: Call, text: string): Promise<boolean> {
  const { source, headers, request, response } = call;
  if (Number(headers["content-length"]) !== Buffer.byteLength(text)) return false;
  return await withBody(context, call, async (pieces) => {
    if (typeof pieces === "string" || !Buffer.concat(pieces).equals(Buffer.from(text))) return false;
    context.answered({ source: source.id, became: "checked" });
    answer(request, response, { status: 202, body: { status: "checked" } });
    return true;
  });
}

function reply({ answered }: WebhookContext, { source, request, response }: Call, given: Answer): void {
  if (response.headersSent) return;
  answered({ source: source.id, ...becameOf(given.status) });
  answer(request, response, given);
}

function refuse(context: WebhookContext, call: Call, refusal: Refusal, kind: RefusalKind = "call"): void {
  context.refused(call.source.id, refusal.body.error, kind);
  reply(context, call, refusal);
}

function answerError(context: WebhookContext, call: Call, error: unknown): void {
  if (error instanceof EventRefused) refuse(context, call, refusalFor(400, error), "content");
  else if (isAppError(error, "SIGNATURE_INVALID")) refuse(context, call, refusalFor(401, error), "signature");
  else {
    if (isAppError(error, "STORE_UNAVAILABLE")) context.trouble.hear(error);
    // Who watches the vault tells of it once.
    else if (!isAppError(error, "VAULT_UNAVAILABLE"))
      context.quiet.error("event not stored", { source: call.source.id, reason: reasonOf(error) });
    reply(context, call, NOT_STORED);
  }
}

function refusalFor(status: number, { message }: Error): Refusal {
  return { status, body: { error: message } };
}

/** A bug shows its stack, trouble that an operator can mend its message. */
function reasonOf(error: unknown): string {
  if (isAppError(error)) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : "unknown";
}

function flat(request: IncomingMessage): Headers {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers))
    if (typeof value === "string") headers[name] = value;
  return headers;
}
