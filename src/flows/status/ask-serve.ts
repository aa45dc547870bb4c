import { connect, type Socket } from "node:net";

const LONGEST_WAIT_MS = 1_000;
const LONGEST_ANSWER = 4_000;

/**
 * What a service that listens there says of itself: `ready`, or in a word why it is not; null where none answers. For
 * who finds no log: the service may run on one that was taken away, with all that it could tell.
 *
 * By a bare socket: Node's HTTP would be most of what `status` costs on an empty machine.
 */
export async function askServe(address: string, { isTls }: { isTls: boolean }): Promise<string | null> {
  const [, host = "", port = ""] = /^\[?(.*?)\]?:(\d+)$/.exec(address) ?? [];
  const to = { host, port: Number(port) };
  const socket = isTls ? await connectByTls(to) : connect(to);
  const answer = await new Promise<string>((resolve) => {
    let text = "";
    socket.setTimeout(LONGEST_WAIT_MS, () => socket.destroy());
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      if (text.length > LONGEST_ANSWER) socket.destroy();
    });
    socket.on("error", () => socket.destroy()).on("close", () => resolve(text));
    socket.write(`GET /readyz HTTP/1.1\r\nhost: ${address}\r\nconnection: close\r\n\r\n`);
  });
  return statusIn(answer.slice(answer.indexOf("\r\n\r\n") + 4));
}

/** It is our own machine that we ask, by a name that its certificate need not have. */
async function connectByTls(to: { host: string; port: number }): Promise<Socket> {
  const tls = await import("node:tls");
  return tls.connect({ ...to, rejectUnauthorized: false });
}

function statusIn(body: string): string | null {
  try {
    const said: { status?: unknown } | null = JSON.parse(body);
    return typeof said?.status === "string" ? said.status : null;
  } catch {
    return null;
  }
}
