/** `serve` in this process, as far as a sender and an operator meet it. */
import * as v from "valibot";
import { type InviteEvent, type Running, sign, until, type World } from "../world.ts";
import { dist } from "../built.ts";

dist();

export interface Answer {
  status: number;
  headers: Headers;
  body: string;
}

export interface PostOptions {
  secret?: string;
  id?: string;
  /** When the sender signs; the world's time unless given. */
  at?: number;
  /** Over those of a signed webhook; undefined leaves one out. */
  headers?: Record<string, string | undefined>;
  path?: string;
  method?: string;
}

export interface Serving {
  url: string;
  running: Running;
  /** Sends a webhook signed with the first secret, as JobCannon does. */
  post(body: InviteEvent | object | string | Buffer, options?: PostOptions): Promise<Answer>;
  get(path: string): Promise<Answer>;
}

const Listening = v.object({ listening: v.string() });

export async function serving(
  world: World,
  options: { env?: Record<string, string> } = {},
): Promise<Serving> {
  const running = world.start(["serve", "--json"], options);
  const ended = running.done.then(({ code, err }) => {
    throw new Error(`serve ended with ${code}: ${err}`);
  });
  ended.catch(() => {});
  const address = await Promise.race([ended, until("serve listens", () => addressIn(running.out()))]);
  const url = `http://${address}`;
  return {
    url,
    running,
    post: (body, options = {}) => {
      const { path = "/jobcannon/events", method = "POST", secret, id, at = world.clock.now() } = options;
      const bytes = bytesOf(body);
      const signed = sign(bytes, secret, { at, ...(id === undefined ? {} : { id }) });
      const headers = Object.entries({ ...signed, ...options.headers }).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value] as [string, string]],
      );
      return ask(url + path, {
        method,
        headers,
        ...(method === "GET" ? {} : { body: Uint8Array.from(bytes) }),
      });
    },
    get: (path) => ask(url + path),
  };
}

export async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const answer = await fetch(url, init);
  return { status: answer.status, headers: answer.headers, body: await answer.text() };
}

/** The address in the line that `serve --json` prints when it listens; null before. */
export function addressIn(out: string): string | null {
  return out.includes("\n") ? v.parse(Listening, JSON.parse(out)).listening : null;
}

function bytesOf(body: object | string | Buffer): Buffer {
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
}
