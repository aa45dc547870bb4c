/** Every listener's server: what strangers can do to one they can do to all, so that the same limits hold for each. */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { BlockList } from "node:net";
import type { Certificate } from "./certificate.ts";
import { shareConnections } from "./connections.ts";
import { answerMalformed } from "./malformed.ts";

export interface HttpServerOptions {
  /** Null for plain HTTP. */
  certificate: Certificate | null;
  /** As many connections at once. */
  mostConnections: number;
  /** Whose `X-Forwarded-For` is believed. */
  trustedProxies: BlockList;
  onRequest(request: IncomingMessage, response: ServerResponse): void;
  /** Hears of what is no HTTP, with the answer under way on its connection, if any. */
  onMalformed(response: ServerResponse | undefined): void;
}

/** How far the limits of time below may be overrun. */
const LOOKED_AT_EVERY_MS = 1_000;
/** The longest that a timer can wait. */
const NEVER_MS = 2 ** 31 - 1;
/** For a handshake, and then for the headers. */
const HEADERS_MS = 10_000;

export function createHttpServer(options: HttpServerOptions): Server {
  const { certificate, mostConnections: most, trustedProxies, onRequest, onMalformed } = options;
  const server = certificate ? tlsServer(certificate, onRequest) : plainServer(onRequest);
  server.headersTimeout = HEADERS_MS;
  server.requestTimeout = 20_000;
  // Longer than a proxy keeps its idle connections, so that it never meets one that we just closed.
  server.keepAliveTimeout = 75_000;
  const answering = shareConnections(server, { most, trustedProxies, isTls: certificate !== null });
  answerMalformed(server, answering, onMalformed);
  lookWhileConnected(server);
  return server;
}

/**
 * Node looks at a server's connections at set intervals, also where there are none, and a service that only waits would
 * wake each second for nothing. It reads the interval anew each time that it begins to listen.
 */
function lookWhileConnected(server: Server & { connectionsCheckingInterval?: number }): void {
  const [begin] = server.listeners("listening");
  if (server.connectionsCheckingInterval !== LOOKED_AT_EVERY_MS || begin === undefined) return;
  let connections = 0;
  const lookEvery = (ms: number) => {
    server.connectionsCheckingInterval = ms;
    if (server.listening) begin.call(server);
  };
  server.connectionsCheckingInterval = NEVER_MS;
  server.on("connection", (socket) => {
    connections += 1;
    if (connections === 1) lookEvery(LOOKED_AT_EVERY_MS);
    socket.once("close", () => {
      connections -= 1;
      if (connections === 0) lookEvery(NEVER_MS);
    });
  });
}

function plainServer(onRequest: RequestListener): Server {
  return createServer({ connectionsCheckingInterval: LOOKED_AT_EVERY_MS }, onRequest);
}

function tlsServer(certificate: Certificate, onRequest: RequestListener): Server {
  const times = { connectionsCheckingInterval: LOOKED_AT_EVERY_MS, handshakeTimeout: HEADERS_MS };
  const server = createTlsServer({ ...certificate.options(), ...times }, onRequest);
  certificate.onNew((options) => server.setSecureContext(options));
  return server;
}
