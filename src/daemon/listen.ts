import { lookup } from "node:dns/promises";
import type { Server } from "node:http";
import { type AddressInfo, BlockList, isIP } from "node:net";
import { AppError } from "../shared/errors.ts";
import { installCommand } from "../core/advice/systemd.ts";

/** Connections that may wait while nobody takes them, as in a restart; the kernel may allow fewer (net.core.somaxconn). */
const BACKLOG = 4_096;

interface Where {
  /** `host:port`; `none` agrees with no socket. */
  address: string;
  /** The setting that it comes from. */
  key: string;
  /** A socket that listens already, which a service manager keeps open over restarts. */
  descriptor?: number | undefined;
}

/**
 * Starts listening. Throws `USAGE` when somebody else has the port, or where the socket that we were given listens elsewhere.
 * Returns the real address.
 */
export async function listen(server: Server, { address, key, descriptor }: Where): Promise<string> {
  const { host, port } = partsOf(address);
  // Asked for before, since from then on connections are taken.
  const expected = descriptor === undefined ? null : await lookup(host).catch(() => ({ address: host }));
  const where = descriptor === undefined ? { host, port } : { fd: descriptor };
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => reject(refusal(cause, address, key)));
    // Node sets the backlog of a socket that it was given to 511, unless it stands beside the options.
    server.listen(where, BACKLOG, resolve);
  });
  const bound = server.address();
  if (typeof bound !== "object" || bound === null) return address;
  if (expected && !(bound.port === port && isSameHost(bound.address, expected.address))) {
    server.close();
    throw disagreement(bound, { address, key });
  }
  return `${address.slice(0, address.lastIndexOf(":"))}:${bound.port}`;
}

function partsOf(address: string): { host: string; port: number } {
  // Which no socket ever has.
  if (address === "none") return { host: "0.0.0.0", port: 0 };
  const cut = address.lastIndexOf(":");
  return { host: address.slice(0, cut).replace(/^\[|\]$/g, ""), port: Number(address.slice(cut + 1)) };
}

/** Where the setting was changed and the socket was not, or the other way round, nobody would know where we listen. */
function disagreement({ address: host, port, family }: AddressInfo, { address, key }: Where): AppError {
  const bound = family === "IPv6" ? `[${host}]:${port}` : `${host}:${port}`;
  return new AppError("USAGE", `systemd listens on ${bound} for us, and ${key} says ${address}`, {
    hint: `Write the socket anew, and restart what it then names: ${installCommand("system")} or, of your own service: ${installCommand("user")}`,
  });
}

/** `::1` may be written in many ways. */
function isSameHost(one: string, other: string): boolean {
  const list = new BlockList();
  list.addAddress(one, isIP(one) === 6 ? "ipv6" : "ipv4");
  return isIP(other) !== 0 && list.check(other, isIP(other) === 6 ? "ipv6" : "ipv4");
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
