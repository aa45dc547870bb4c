/** Webhooks on connections of their own, so many a second however long each takes, as senders do. */
import { request } from "node:http";
import { connect } from "node:net";
import { invite, sign } from "../world.ts";

export interface Sent {
  /** Ids of the webhooks that were acknowledged. */
  acknowledged: string[];
  /** Connections that were refused or cut, each with its error. */
  refused: string[];
  /** Answers that were no acknowledgement. */
  others: string[];
}

export interface Pace {
  perSecond: number;
  /** `serve.max_connections` there. */
  mostConnections: number;
}

/** Of the most connections: the service may hold one for a moment longer than its sender. */
const OPEN_AT_ONCE = 0.75;

/**
 * Sends until the signal aborts, then waits for what is under way. Where the machine is too slow for the pace, it waits:
 * whoever has more than `serve.max_connections` open is promised nothing.
 */
export async function sendWebhooks({ perSecond, mostConnections }: Pace, signal: AbortSignal): Promise<Sent> {
  const sent: Sent = { acknowledged: [], refused: [], others: [] };
  const underWay = new Set<Promise<void>>();
  let [n, lookedAt, due] = [0, performance.now(), 0];
  while (!signal.aborted) {
    const now = performance.now();
    // What could not be sent in its time is not made up for.
    due = Math.min(
      due + ((now - lookedAt) / 1_000) * perSecond,
      OPEN_AT_ONCE * mostConnections - underWay.size,
    );
    lookedAt = now;
    for (; due >= 1; due -= 1) {
      n += 1;
      const one = sendOne(`load-${n}`, sent).finally(() => underWay.delete(one));
      underWay.add(one);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await Promise.all(underWay);
  return sent;
}

function sendOne(id: string, sent: Sent): Promise<void> {
  const body = JSON.stringify(invite());
  const headers = Object.entries(sign(body, undefined, { id })).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  const head = `POST /jobcannon/events HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n${headers.join("")}`;
  return new Promise((resolve) => {
    let [answer, problem] = ["", "closed without an answer"];
    const socket = connect(8470, "127.0.0.1", () => {
      socket.write(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    });
    socket.setEncoding("latin1").on("data", (text: string) => {
      answer += text;
    });
    socket.on("error", ({ message }) => {
      problem = message;
    });
    socket.on("close", () => {
      const status = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1];
      if (status === "202") sent.acknowledged.push(id);
      else if (status) sent.others.push(status);
      else sent.refused.push(problem);
      resolve();
    });
  });
}

/** Asks the admin listener on a connection of its own, and again when it has answered, until the signal aborts. */
export async function askAdmin(signal: AbortSignal): Promise<{ answered: number; refused: string[] }> {
  const asked = { answered: 0, refused: [] as string[] };
  while (!signal.aborted) {
    await askOnce().then(
      (status) => {
        if (status === 200) asked.answered += 1;
        else asked.refused.push(String(status));
      },
      (error: Error) => asked.refused.push(error.message),
    );
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return asked;
}

function askOnce(): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asking = request("http://127.0.0.1:8471/healthz", { agent: false }, (answer) => {
      answer.resume().on("end", () => resolve(answer.statusCode));
    });
    asking.on("error", reject).end();
  });
}
