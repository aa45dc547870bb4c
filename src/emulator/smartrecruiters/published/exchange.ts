/** Posts to whoever listens, and waits no longer than a sender of webhooks does. */
import * as http from "node:http";
import * as https from "node:https";

export interface Answered {
  /** 0 when there was no answer in time. */
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Rejects only when `signal` aborts. */
export function exchange(message: {
  url: string;
  headers: Readonly<Record<string, string>>;
  body: string;
  timeoutMs: number;
  signal: AbortSignal;
}): Promise<Answered> {
  const { url, headers, body, timeoutMs, signal } = message;
  const nothing: Answered = { status: 0, headers: {} };
  return new Promise((resolve, reject) => {
    const { request } = url.startsWith("https:") ? https : http;
    const options = { method: "POST", headers, agent: false, signal };
    const sent = request(url, options, (answer) => {
      answer.on("error", () => {});
      answer.resume();
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers });
    });
    const late = setTimeout(() => sent.destroy(), timeoutMs);
    sent.on("error", () => (signal.aborted ? reject(signal.reason) : resolve(nothing)));
    sent.on("close", () => {
      clearTimeout(late);
      resolve(nothing);
    });
    sent.end(body);
  });
}
