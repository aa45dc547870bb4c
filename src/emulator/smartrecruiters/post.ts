/** Posts to whoever listens, as a sender of webhooks does. */
import * as http from "node:http";
import * as https from "node:https";

const TIMEOUT_MS = 30_000;

/** The status of the answer; 0 when there was none. Rejects only when `signal` aborts. */
export function post(message: {
  url: string;
  headers: Readonly<Record<string, string>>;
  body: string;
  signal: AbortSignal;
}): Promise<number> {
  const { url, headers, body, signal } = message;
  return new Promise((resolve, reject) => {
    const { request } = url.startsWith("https:") ? https : http;
    // Each on its own connection: a pooled one may be closed just then, which is no fault of the receiver.
    const options = { method: "POST", headers, agent: false, timeout: TIMEOUT_MS, signal };
    const sent = request(url, options, (answer) => {
      // Read to its end, or the connection would never close.
      answer.on("error", () => {});
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    sent.on("timeout", () => sent.destroy());
    sent.on("error", () => (signal.aborted ? reject(signal.reason) : resolve(0)));
    sent.on("close", () => resolve(0));
    sent.end(body);
  });
}
