/**
 * The emulator as a vendor far away, for a service with all its limits: under a name that only DNS knows, over TLS whose
 * authority only a file names, and one more behind a proxy. All of it on this machine's loopback.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect } from "node:net";

interface FarAway {
  /** As `https://vendor.test:…`. */
  base: string;
  /** As `http://127.0.0.1:…`, for HTTPS_PROXY. */
  proxy: string;
  /** What DNS was asked for. */
  names: Set<string>;
  /** What the proxy was asked to reach. */
  tunnels: Set<string>;
}

/** `near`: the emulator's own address. For names below `.test`, whose certificate those files hold. */
export async function farAway(near: string, pair: { certFile: string; keyFile: string }): Promise<FarAway> {
  const [names, tunnels] = [new Set<string>(), new Set<string>()];
  const tls = createTlsServer(
    { cert: readFileSync(pair.certFile), key: readFileSync(pair.keyFile) },
    (asked, answer) => pass(near, asked, answer),
  );
  const proxy = createServer();
  proxy.on("connect", (asked, client) => {
    tunnels.add(asked.url ?? "");
    const upstream = connect(portOf(tls), "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.pipe(client).pipe(upstream);
    });
    for (const end of [client, upstream]) end.on("error", () => client.destroy());
  });
  for (const server of [tls, proxy]) await once(server.listen(0, "127.0.0.1"), "listening");
  await answerNames(names);
  return {
    base: `https://vendor.test:${portOf(tls)}`,
    proxy: `http://127.0.0.1:${portOf(proxy)}`,
    names,
    tunnels,
  };
}

function portOf(server: { address(): AddressInfo | string | null }): number {
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return address.port;
}

function pass(near: string, asked: IncomingMessage, answer: ServerResponse): void {
  const { method, headers } = asked;
  const passed = request(`${near}${asked.url ?? "/"}`, { method, headers }, (got) => {
    answer.writeHead(got.statusCode ?? 502, got.headers);
    got.pipe(answer);
  });
  passed.on("error", () => answer.destroy());
  asked.pipe(passed);
}

/** The machine's only name server from now on: every A is 127.0.0.1, and nothing else is anything. */
async function answerNames(names: Set<string>): Promise<void> {
  const server = createSocket("udp4");
  server.on("message", (query, { address, port }) => {
    const { name, type, end } = questionIn(query);
    names.add(name);
    const isA = type === 1;
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(0x8180, 2);
    head.writeUInt16BE(isA ? 1 : 0, 6);
    head.writeUInt32BE(0, 8);
    const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
    server.send(Buffer.concat([head, query.subarray(12, end), ...(isA ? [record] : [])]), port, address);
  });
  server.bind(53, "127.0.0.1");
  await once(server, "listening");
  writeFileSync("/etc/resolv.conf", "nameserver 127.0.0.1\n");
}

/** Of RFC 1035, 4.1.2: labels with their lengths, then type and class. */
function questionIn(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join("."), type: query.readUInt16BE(at + 1), end: at + 5 };
}
