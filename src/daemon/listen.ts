import type { Server } from "node:http";
import { AppError } from "../shared/errors.ts";

/** Starts listening on `host:port`. Throws `USAGE` when somebody else has the port. Returns the real address. */
export async function listen(server: Server, address: string, key: string): Promise<string> {
  const cut = address.lastIndexOf(":");
  const [host, port] = [address.slice(0, cut).replace(/^\[|\]$/g, ""), Number(address.slice(cut + 1))];
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => reject(refusal(cause, address, key)));
    server.listen({ host, port }, resolve);
  });
  const bound = server.address();
  return typeof bound === "object" && bound !== null ? `${address.slice(0, cut)}:${bound.port}` : address;
}

function refusal(cause: Error, address: string, key: string): AppError {
  const isTaken = "code" in cause && cause.code === "EADDRINUSE";
  return new AppError(
    "USAGE",
    isTaken ? `${address} is in use by another process` : `cannot listen on ${address}`,
    {
      hint: isTaken ? `See who: ss -ltnp. Or set another ${key}.` : `Check ${key} in the configuration.`,
      cause,
    },
  );
}

/** Connections that fall idle while the server closes would else stay open for as long as their clients like. */
const CLOSE_IDLE_EVERY_MS = 50;

/** No new connections; the open ones are answered and closed, and cut off at the deadline. */
export function closeServer(server: Server, deadlineMs: number): Promise<void> {
  return new Promise((resolve) => {
    const closeIdle = setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_EVERY_MS);
    const cutOff = setTimeout(() => server.closeAllConnections(), deadlineMs);
    server.close(() => {
      clearInterval(closeIdle);
      clearTimeout(cutOff);
      resolve();
    });
    server.closeIdleConnections();
  });
}
