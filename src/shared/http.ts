import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { rootCertificates } from "node:tls";
import { Agent, buildConnector, type Dispatcher, Pool, ProxyAgent } from "undici";
import { AppError, isAppError } from "./errors.ts";
import type { HttpAnswer } from "./http-answer.ts";
import { isOutOfDescriptors, OUT_OF_DESCRIPTORS_HINT } from "./out-of-descriptors.ts";
import type { HttpProxy } from "./proxy.ts";
import { withoutValues } from "./redact.ts";
import type { Secret } from "./secret.ts";
import { checkBaseUrl, isLoopback } from "./url.ts";

/**
 * Calls to vendors. Never follows a redirect (a token must not travel to another host), speaks plain http to
 * loopback only, and answers any status: only trouble on the way throws, as `VENDOR_UNAVAILABLE`.
 */
export interface Http {
  request(call: HttpRequest): Promise<HttpAnswer>;
  close(): Promise<void>;
}

export interface HttpRequest {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  url: string;
  /** Sent as `Authorization: Bearer`. */
  token?: Secret;
  headers?: Record<string, string | Secret>;
  /** What a refusal must not quote either, as the key that a header was made of. */
  hides?: readonly Secret[];
  /** Sent as `application/json`. */
  json?: unknown;
  /** Sent as `application/x-www-form-urlencoded`. */
  form?: Record<string, string | Secret>;
  /** Until the whole answer is read; 30 s unless given. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

export interface HttpSettings {
  caFile: string | null;
  proxy: HttpProxy | null;
  /** Gets one line per call for `--verbose`; no header, no body. */
  trace?: (line: string) => void;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const CONNECT_MS = 10_000;
/** No answer of a vendor that we read is near this; what is longer is a mistake or an attack. */
const LONGEST_ANSWER_BYTES = 32 * 1024 * 1024;

export function createHttp(settings: HttpSettings): Http {
  const ways = createWays(settings);
  return {
    request: (call) => send(ways, call, settings.trace),
    close: async () => {
      await Promise.all([ways.direct.destroy(), ways.proxied?.destroy()]);
    },
  };
}

interface Ways {
  direct: Dispatcher;
  /** Null where there is no proxy. */
  proxied: Dispatcher | null;
  proxy: HttpProxy | null;
  /** Cuts a call off, so that what the vendor has not got of it is not sent any more. */
  giveUp(call: AbortController, reason: unknown): void;
}

function createWays({ caFile, proxy }: HttpSettings): Ways {
  const tls = caFile ? { ca: [...rootCertificates, readCaFile(caFile)] } : {};
  let givingUp = 0;
  const connect = resettable(tls, () => givingUp > 0);
  // As many to one host as there are calls under way: one account's that hang must not make another's queue.
  const keepAliveTimeout = 20_000;
  const proxied =
    proxy &&
    new ProxyAgent({
      uri: proxy.url,
      ...(proxy.authorization === null ? {} : { token: proxy.authorization }),
      clientFactory: (origin, options) => new Pool(origin, { ...options, connect }),
      requestTls: tls,
      keepAliveTimeout,
    });
  return {
    direct: new Agent({ connect, keepAliveTimeout }),
    proxied,
    proxy,
    giveUp: (call, reason) => {
      givingUp += 1;
      call.abort(reason);
      // What lies below an encrypted connection may be destroyed a little later.
      setImmediate(() => {
        givingUp -= 1;
      });
    },
  };
}

/**
 * Connections that end with a reset where a call is given up. After a gentle end the system goes on sending what a network that was
 * cut has not taken, for minutes: the vendor would get it behind what it was told meanwhile.
 */
function resettable(tls: { ca?: string[] }, isGivingUp: () => boolean): buildConnector.connector {
  const connect = buildConnector({ timeout: CONNECT_MS });
  const encrypt = buildConnector({ ...tls, timeout: CONNECT_MS });
  return (options, callback) => {
    const isEncrypted = options.protocol === "https:";
    // Encryption hides the socket below, which alone can be reset.
    connect(
      { ...options, protocol: "http:", port: options.port || (isEncrypted ? "443" : "80") },
      (error, socket) => {
        if (error) return callback(error, null);
        resetWhere(socket, isGivingUp);
        if (isEncrypted) encrypt({ ...options, httpSocket: socket }, callback);
        else callback(null, socket);
      },
    );
  };
}

/** An undici that gives up a call destroys its socket in the same turn of the event loop. */
function resetWhere(socket: Socket, isGivingUp: () => boolean): void {
  const destroy = socket.destroy.bind(socket);
  socket.destroy = (error) => {
    socket.destroy = destroy;
    return isGivingUp() ? socket.resetAndDestroy() : destroy(error);
  };
}

/** The proxy that a call to there goes through; null where it goes by itself. */
function proxyTo(url: URL, { proxy }: Ways): HttpProxy | null {
  return proxy === null || isLoopback(url) || proxy.isPassedBy(url) ? null : proxy;
}

function readCaFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new AppError("CONFIG_INVALID", `network.ca_file cannot be read: ${path}`, { cause });
  }
}

async function send(ways: Ways, call: HttpRequest, trace?: (line: string) => void): Promise<HttpAnswer> {
  const url = checkBaseUrl(call.url, "the vendor's address");
  const proxy = proxyTo(url, ways);
  const timeoutMs = call.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const startedAt = performance.now();
  const since = () => Math.round(performance.now() - startedAt);
  const abort = abortAfter(timeoutMs, { outer: call.signal, giveUp: ways.giveUp });
  try {
    const way = (proxy && ways.proxied) ?? ways.direct;
    const answer = await way.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: call.method,
      headers: headersOf(call),
      body: bodyOf(call),
      signal: abort.signal,
      // The signal's time covers both.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const text = await readText(answer.body);
    trace?.(`${call.method} ${url.origin}${url.pathname} → ${answer.statusCode} (${since()} ms)`);
    return {
      status: answer.statusCode,
      headers: flatHeaders(answer.headers),
      text: answer.statusCode < 400 ? text : withoutSecrets(text, call),
      durationMs: since(),
    };
  } catch (cause) {
    if (call.signal?.aborted) throw call.signal.reason;
    if (isAppError(cause)) throw cause;
    trace?.(`${call.method} ${url.origin}${url.pathname} → ${wordsFor(cause)} (${since()} ms)`);
    throw unreached(url, proxy, cause);
  } finally {
    abort.done();
  }
}

/** `AbortSignal.any` would leave something behind on the caller's signal with each call, for months. */
function abortAfter(
  timeoutMs: number,
  { outer, giveUp }: { outer: AbortSignal | undefined } & Pick<Ways, "giveUp">,
): { signal: AbortSignal; done(): void } {
  const controller = new AbortController();
  const tooLate = () => giveUp(controller, new DOMException("timed out", "TimeoutError"));
  const timer = setTimeout(tooLate, timeoutMs);
  const stop = () => giveUp(controller, outer?.reason);
  if (outer?.aborted) stop();
  else outer?.addEventListener("abort", stop, { once: true });
  return {
    signal: controller.signal,
    done: () => {
      clearTimeout(timer);
      outer?.removeEventListener("abort", stop);
    },
  };
}

function headersOf(call: HttpRequest): Record<string, string> {
  return {
    accept: "application/json",
    "user-agent": "jc-integrations",
    ...(call.json === undefined ? {} : { "content-type": "application/json" }),
    ...(call.form === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" }),
    ...(call.token === undefined ? {} : { authorization: `Bearer ${call.token.reveal()}` }),
    ...Object.fromEntries(Object.entries(call.headers ?? {}).map(([name, value]) => [name, plainOf(value)])),
  };
}

function plainOf(value: string | Secret): string {
  return typeof value === "string" ? value : value.reveal();
}

function bodyOf(call: HttpRequest): string | null {
  if (call.json !== undefined) return JSON.stringify(call.json);
  if (call.form === undefined) return null;
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(call.form)) {
    form.set(name, plainOf(value));
  }
  return form.toString();
}

async function readText(body: Dispatcher.ResponseData["body"]): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > LONGEST_ANSWER_BYTES)
      throw new AppError("VENDOR_UNEXPECTED", "The vendor's answer is over 32 MiB long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** A refusal may quote what was sent, and its words end up in errors and logs. */
function withoutSecrets(text: string, { token, headers = {}, hides = [], form = {} }: HttpRequest): string {
  const secrets = [token, ...hides, ...Object.values(headers), ...Object.values(form)].flatMap((value) =>
    value === undefined || typeof value === "string" ? [] : [value.reveal()],
  );
  return withoutValues(text, secrets);
}

function flatHeaders(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name.toLowerCase()] = Array.isArray(value) ? value.join(", ") : value;
  }
  return flat;
}

function unreached(url: URL, proxy: HttpProxy | null, cause: unknown): AppError {
  const status = proxy && refusalOf(cause);
  const by = proxy && `the proxy ${proxy.url} (${proxy.variable})`;
  if (proxy && status !== null) {
    const asks = status === "407" ? ": it asks for a user and password, or refuses those it was given" : "";
    return new AppError("VENDOR_UNAVAILABLE", `${by} refused the way to ${url.host} with ${status}${asks}`, {
      hint:
        status === "407"
          ? `Give them as ${proxy.variable}=http://user:password@host:port, with %40 for an @.`
          : `Have ${url.host} allowed there, or name it in NO_PROXY.`,
      cause,
    });
  }
  if (isOutOfDescriptors(innermost(cause)))
    return new AppError("VENDOR_UNAVAILABLE", `${url.host} was not called: no file descriptors are left`, {
      hint: OUT_OF_DESCRIPTORS_HINT,
      cause,
    });
  const way = by === null ? "" : ` through ${by}`;
  return new AppError("VENDOR_UNAVAILABLE", `${url.host} did not answer${way}: ${wordsFor(cause)}`, {
    hint: `Check the network, ${proxy?.variable ?? "HTTPS_PROXY"} and network.ca_file, then try again.`,
    cause,
  });
}

/** The status with which a proxy answered instead of opening the tunnel; undici tells it in words only. */
function refusalOf(cause: unknown): string | null {
  const words = cause instanceof Error ? cause.message : "";
  return /^Proxy response \((\d{3})\)/.exec(words)?.[1] ?? null;
}

/** A short word for what went wrong on the way, never the request itself. */
function wordsFor(cause: unknown): string {
  const inner = innermost(cause);
  if (!(inner instanceof Error)) return "connection failed";
  if (inner.name === "TimeoutError" || /timeout/i.test(inner.name)) return "timed out";
  return "code" in inner && typeof inner.code === "string" ? inner.code : inner.name;
}

function innermost(cause: unknown): unknown {
  return cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
}
