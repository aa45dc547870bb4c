/** A stranger at the door of the built program, on loopback. */
import { readFileSync } from "node:fs";
import { get } from "node:http";
import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import type { Program, Service } from "../end-to-end/program.ts";

/** Processor time of a process so far, ms; the kernel counts in ticks of 10 ms. */
export function cpuMs({ child }: Program): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Memory of a process, MiB. */
export function memoryMib({ child }: Program): number {
  const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

export interface Line {
  socket: Socket;
  /** All that came back so far. */
  heard(): string;
  /** Waits for the end of the connection; how it ended. */
  closed: Promise<"end" | "reset">;
}

/** A connection on which anything can be said; `from` is one of the machine's own addresses, as 127.0.0.2. */
export function open({ url }: Pick<Service, "url">, said: string | Buffer = "", from?: string): Line {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), ...(from ? { localAddress: from } : {}) });
  let heard = "";
  let isReset = false;
  socket.on("data", (chunk) => {
    heard += chunk.toString("latin1");
  });
  socket.on("error", () => {
    isReset = true;
  });
  if (said.length > 0) socket.write(said);
  onTestFinished(() => void socket.destroy());
  return {
    socket,
    heard: () => heard,
    closed: new Promise((resolve) => socket.once("close", () => resolve(isReset ? "reset" : "end"))),
  };
}

/** A request as it stands on the wire. */
export function request(
  target: string,
  headers: Record<string, string | number>,
  body: string | Buffer = "",
): Buffer {
  const lines = Object.entries({ host: "localhost", ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return Buffer.concat([Buffer.from(`POST ${target} HTTP/1.1\r\n${lines.join("")}\r\n`), Buffer.from(body)]);
}

/** Looks like a signature; it is nobody's. */
export const FORGED = `sha256=${"a1".repeat(32)}`;

export function forgedOfJobcannon(): Record<string, string> {
  return {
    "content-type": "application/json",
    "webhook-id": "msg_stranger",
    "webhook-timestamp": String(Math.floor(Date.now() / 1000)),
    "webhook-signature": `v1,${Buffer.alloc(32, 7).toString("base64")}`,
  };
}

/** As a browser goes to an address, where `fetch` says that it is none; the status of what it gets. */
export function visit(url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(url, (answer) => resolve(answer.resume().statusCode)).on("error", reject);
  });
}
