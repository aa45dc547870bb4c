// The least of a receiver: `node:http`, and JobCannon's signature.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import { SECRET } from "./events.js";

const key = Buffer.from(SECRET.slice("whsec_".length), "base64");
const PLENTY_MS = 300_000;

/** `take` is handed each webhook that is truly signed, with a response to end once it is stored. Says where it listens. */
export function listenForWebhooks(take) {
  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const body = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
      const {
        "webhook-id": id,
        "webhook-timestamp": sentAt,
        "webhook-signature": signature,
      } = request.headers;
      const isFresh = Math.abs(Date.now() - Number(sentAt) * 1000) < PLENTY_MS;
      response.setHeader("content-type", "application/json");
      response.statusCode = isFresh && isSigned(`${id}.${sentAt}.`, body, signature) ? 202 : 401;
      if (response.statusCode === 401) return response.end();
      take({ id, body, response });
    });
  });
  server.listen(0, "127.0.0.1", () => {
    console.log(JSON.stringify({ listening: `127.0.0.1:${server.address().port}` }));
  });
}

export const stored = (response) => response.end('{"status":"stored"}\n');

function isSigned(prefix, body, signature) {
  const expected = Buffer.from(
    `v1,${createHmac("sha256", key).update(prefix).update(body).digest("base64")}`,
  );
  const given = Buffer.from(signature ?? "");
  return given.length === expected.length && timingSafeEqual(given, expected);
}
