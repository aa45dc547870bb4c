import { BlockList, isIP } from "node:net";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** The answer under way on a connection, if any; of several that were asked for at once the last. */
export type Answering = (socket: Duplex) => ServerResponse | undefined;

/**
 * A few connections for everybody: when there are more than `most`, whoever has most of them loses one. Whose a
 * connection is tells its address; behind a trusted proxy, while a request is under way, `X-Forwarded-For`.
 */
export function shareConnections(
  server: Server,
  { most, trustedProxies, isTls }: { most: number; trustedProxies: BlockList; isTls: boolean },
): Answering {
  /** Those of TCP: one counts from its first byte on, and not only once a handshake is over. */
  const all = new Map<Duplex, Connection>();
  const byEndpoints = new Map<string, Socket>();
  const carriers = new WeakMap<Duplex, Socket>();
  const carrierOf = (socket: Duplex) => (isTls ? (carriers.get(socket) ?? socket) : socket);
  const byAddress = new Map<string, Set<Socket>>();

  const take = (socket: Socket, address: string) => {
    const of = byAddress.get(address) ?? new Set();
    byAddress.set(address, of.add(socket));
  };
  const leave = (socket: Socket, address: string) => {
    const of = byAddress.get(address);
    of?.delete(socket);
    if (of?.size === 0) byAddress.delete(address);
  };
  const move = (connection: Connection, address: string) => {
    const { socket } = connection;
    if (connection.address === address) return;
    leave(socket, connection.address);
    connection.address = address;
    if (all.has(socket)) take(socket, address);
  };
  const makeRoom = (newcomer: Socket, address: string) => {
    let greediest = byAddress.get(address) ?? new Set();
    for (const of of byAddress.values()) if (of.size > greediest.size) greediest = of;
    const ones = [...greediest];
    // The one that waits longest for a request; else the newest, which may be this very one.
    const victim = ones.find((each) => each !== newcomer && all.get(each)?.underWay === 0) ?? ones.at(-1);
    victim?.destroy();
  };
  const forget = (socket: Socket) => {
    const connection = all.get(socket);
    if (connection) leave(socket, connection.address);
    all.delete(socket);
  };
  // A turn of the loop may end many, and take others, before it tells of any that it is closed.
  const forgetEnded = () => {
    for (const { socket } of all.values()) if (socket.destroyed) forget(socket);
  };

  server.on("connection", (socket: Socket) => {
    const address = groupOf(socket.remoteAddress ?? "");
    const isProxy = isIn(trustedProxies, socket.remoteAddress ?? "");
    const ended = () => {
      connection.underWay -= 1;
      if (connection.underWay > 0) return;
      connection.last = undefined;
      move(connection, connection.own);
    };
    const connection: Connection = {
      socket,
      address,
      own: address,
      isProxy,
      underWay: 0,
      last: undefined,
      ended,
    };
    all.set(socket, connection);
    take(socket, address);
    const endpoints = isTls ? endpointsOf(socket) : null;
    if (endpoints !== null) byEndpoints.set(endpoints, socket);
    socket.once("close", () => {
      if (endpoints !== null) byEndpoints.delete(endpoints);
      forget(socket);
    });
    if (all.size > most) forgetEnded();
    if (all.size > most) makeRoom(socket, address);
  });
  // Node does not say which connection of TCP carries one of TLS; their four numbers do.
  server.on("secureConnection", (secured: Socket) => {
    const carrier = byEndpoints.get(endpointsOf(secured));
    if (carrier) carriers.set(secured, carrier);
  });
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const connection = all.get(carrierOf(request.socket));
    if (!connection) return;
    connection.underWay += 1;
    connection.last = response;
    if (connection.isProxy) move(connection, groupOf(clientOf(request, trustedProxies)));
    response.on("close", connection.ended);
  });
  return (socket) => all.get(carrierOf(socket))?.last;
}

interface Connection {
  socket: Socket;
  /** Who it counts for now. */
  address: string;
  own: string;
  /** What it says of others is believed; asked once, since the list is slow to ask. */
  isProxy: boolean;
  underWay: number;
  /** The newest answer under way. */
  last: ServerResponse | undefined;
  /** Hears that one of them has ended. One function a connection, since there are thousands of requests a second. */
  ended(): void;
}

function endpointsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return [remoteAddress, remotePort, localAddress, localPort].join(" ");
}

const MOST_HOPS = 32;

/** The rightmost hop that is no trusted proxy: what stands further left anybody can have written. */
export function clientOf(request: IncomingMessage, trustedProxies: BlockList): string {
  let client = request.socket.remoteAddress ?? "";
  const told = request.headers["x-forwarded-for"];
  const hops = (Array.isArray(told) ? told.join(",") : (told ?? "")).split(",");
  for (const hop of hops.reverse().slice(0, MOST_HOPS)) {
    if (!isIn(trustedProxies, client)) break;
    const address = addressOf(hop);
    if (address === null) break;
    client = address;
  }
  return client;
}

/** `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1` or `[2001:db8::1]:4711`. */
function addressOf(hop: string): string | null {
  const text = hop.trim();
  const bare = /^\[(.*)\](?::\d+)?$/.exec(text)?.[1] ?? text.replace(/^([^:]*):\d+$/, "$1");
  return isIP(bare) === 0 ? null : bare;
}

/** `addresses`: as `10.0.0.0/8, ::1`. */
export function networks(addresses: string): BlockList {
  const list = new BlockList();
  for (const each of addresses.split(",").map((one) => one.trim())) {
    const [address = "", bits] = each.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (address === "") continue;
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}

function isIn(list: BlockList, address: string): boolean {
  const plain = unmapped(address);
  return isIP(plain) !== 0 && list.check(plain, isIP(plain) === 6 ? "ipv6" : "ipv4");
}

/** Whoever has one address of IPv6 has a network of them, commonly a /64. */
function groupOf(address: string): string {
  const plain = unmapped(address);
  if (isIP(plain) !== 6) return plain;
  const [head = "", tail] = plain.split("::");
  const [before, after] = [head, tail ?? ""].map((part) => part.split(":").filter(Boolean));
  const missing = tail === undefined ? 0 : 8 - (before?.length ?? 0) - (after?.length ?? 0);
  return [...(before ?? []), ...Array<string>(Math.max(0, missing)).fill("0"), ...(after ?? [])]
    .slice(0, 4)
    .map((part) => Number.parseInt(part, 16).toString(16))
    .join(":");
}

/** IPv4 as an IPv6 socket tells it. */
function unmapped(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "");
}
