import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Clock } from "../../shared/clock.ts";
import { AppError } from "../../shared/errors.ts";
import type { Page } from "../../shared/page.ts";
import { portHolder } from "./port-holder.ts";
import { redirectDesk } from "./redirect-desk.ts";

/**
 * Takes the one redirect that carries our state, on both loopback addresses, because a browser may resolve
 * `localhost` to either. Whatever else comes is answered at once and changes nothing.
 */
export interface LoopbackListener {
  redirectUri: string;
  /** The parameters of that redirect. Never rejects. */
  answer: Promise<URLSearchParams>;
  /** Shows the browser that waits, if one does, how it ended. Returns when the page is out, or the browser gone. */
  finish(page: Page): Promise<void>;
  close(): Promise<void>;
}

const HOSTS = ["127.0.0.1", "::1"];

export async function listenForRedirect(options: {
  clock: Clock;
  port: number;
  path: string;
  state: string;
  /** The configuration key to change when the port is taken: `hubspot.redirect_port`. */
  portKey: string;
}): Promise<LoopbackListener> {
  const desk = redirectDesk(options);
  const servers: Server[] = [];
  let { port } = options;
  try {
    for (const host of HOSTS) {
      const server = await listen(desk.respond, host, port);
      if (!server) continue;
      servers.push(server);
      port = portOf(server);
    }
  } catch (error) {
    await Promise.all(servers.map(shut));
    throw explained(error, port, options);
  }
  if (servers.length === 0) throw noLoopback();
  desk.open(port);
  return {
    redirectUri: `http://localhost:${port}${options.path}`,
    answer: desk.answer,
    finish: desk.finish,
    close: async () => {
      desk.leave();
      await Promise.all(servers.map(shut));
    },
  };
}

/** Null where the machine lacks this address family. */
async function listen(
  respond: (request: IncomingMessage, response: ServerResponse) => void,
  host: string,
  port: number,
): Promise<Server | null> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, respond);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port, ipv6Only: true, exclusive: true }, resolve);
    });
    return server;
  } catch (error) {
    if (codeOf(error) === "EADDRNOTAVAIL" || codeOf(error) === "EAFNOSUPPORT") return null;
    throw error;
  }
}

/** Browsers open spare connections and never use them: those must not keep the program from ending. */
function shut(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

function explained(
  error: unknown,
  port: number,
  { path, portKey }: { path: string; portKey: string },
): unknown {
  const code = codeOf(error);
  if (code !== "EADDRINUSE" && code !== "EACCES") return error;
  const holder = code === "EADDRINUSE" ? portHolder(port) : null;
  const what =
    code === "EACCES" ? "may not be used by this user" : `is taken${holder ? ` by ${holder}` : ""}`;
  return new AppError("USAGE", `Port ${port} ${what}`, {
    hint: `Free it, or set ${portKey} to another port and register http://localhost:<port>${path} with the app.`,
    cause: error,
  });
}

function noLoopback(): AppError {
  return new AppError("USAGE", "This machine has no loopback address to listen on", {
    hint: "Bring the loopback interface up: ip link set lo up",
  });
}
