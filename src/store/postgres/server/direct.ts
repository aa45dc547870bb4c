import { Client, type ClientConfig } from "pg";
import { storeErrors } from "./errors.ts";
import { beat, enterHolder, newestLease, resumeHolder } from "./holder.ts";
import { createTenure, type Moment } from "./tenure.ts";

export const CHANNEL = "jc_changed";
/** A connection that does not answer for so long is lost: what lies between may swallow all that is sent. */
const LONGEST_ANSWER_MS = 2_000;
const ASK_EVERY_MS = 2_000;
const AGAIN_AFTER_MS = 500;
/** The server ends a session whose machine vanished within 30 s, whether or not it had something to say to it. */
const ENDS_WHAT_VANISHED = [
  "SET tcp_keepalives_idle = 10",
  "SET tcp_keepalives_interval = 5",
  "SET tcp_keepalives_count = 3",
  "SET tcp_user_timeout = 25000",
].join(";");
/** While nobody can be heard. */
const POLL_EVERY_MS = 250;

export interface DirectOptions {
  config: ClientConfig;
  name: string;
  /** Another process changed something, or may have. */
  onChange(): void;
  /** Why there is no connection; null once there is one again. */
  onTrouble(problem: unknown): void;
  /** The database's time, asked for between two moments of `monotonic`. */
  onTime(at: number, asked: number, answered: number): void;
  monotonic(): number;
  date(): number;
}

export interface Direct {
  /** This process's number among the holders. */
  self(): number;
  isHolding(lease: number): boolean;
  close(): Promise<void>;
}

/**
 * The connection that is no pooler's: it hears of changes, and this process lives as long as it does. One that is lost is opened
 * anew, for as long as it takes; meanwhile `onChange` is called often enough.
 */
export async function openDirect(options: DirectOptions): Promise<Direct> {
  const { onChange, onTime, onTrouble } = options;
  const moment = (): Moment => ({ monotonic: options.monotonic(), date: options.date() });
  const tenure = createTenure(moment);
  let self: number | null = null;
  let current: Client | null = null;
  let isClosed = false;
  let asking: NodeJS.Timeout | undefined;
  let again: NodeJS.Timeout | undefined;
  let polling: NodeJS.Timeout | undefined;

  const ask = async (client: Client, id: number) => {
    const asked = moment();
    const at = await beat(client, id);
    if (at === null) throw new Error("the connection ended: its row is gone");
    onTime(at, asked.monotonic, options.monotonic());
    await tenure.confirm(asked, at, () => newestLease(client));
  };
  const lost = (client: Client, problem: unknown) => {
    if (client !== current) return;
    current = null;
    tenure.end();
    clearInterval(asking);
    // What is swallowed on the way is not waited for.
    client.end().catch(() => {});
    if (isClosed) return;
    onTrouble(problem);
    polling ??= setInterval(onChange, POLL_EVERY_MS);
    again = setTimeout(reconnect, AGAIN_AFTER_MS);
  };
  const connect = async () => {
    const client = new Client({ ...options.config, query_timeout: LONGEST_ANSWER_MS });
    let broken: Error | null = null;
    client.on("error", (error) => {
      broken ??= error;
      lost(client, error);
    });
    client.on("end", () => lost(client, new Error("the connection was ended")));
    client.on("notification", ({ payload }) => {
      if (payload !== String(self)) onChange();
    });
    try {
      await storeErrors(async () => {
        await client.connect();
        await client.query(`${ENDS_WHAT_VANISHED};LISTEN ${CHANNEL}`);
        if (self === null || !(await resumeHolder(client, self)))
          self = await enterHolder(client, options.name);
        await ask(client, self);
        if (broken) throw broken;
      });
    } catch (error) {
      tenure.end();
      client.end().catch(() => {});
      throw error;
    }
    if (isClosed) return await client.end();
    current = client;
    asking = setInterval(() => {
      if (self !== null)
        storeErrors(() => ask(client, self ?? 0)).catch((error: unknown) => lost(client, error));
    }, ASK_EVERY_MS);
  };
  const reconnect = async () => {
    try {
      await connect();
      clearInterval(polling);
      polling = undefined;
      onTrouble(null);
      onChange();
    } catch (error) {
      if (isClosed) return;
      onTrouble(error);
      again = setTimeout(reconnect, AGAIN_AFTER_MS);
    }
  };

  await connect();
  return {
    self: () => self ?? 0,
    isHolding: tenure.isHolding,
    close: async () => {
      isClosed = true;
      for (const timer of [asking, polling]) clearInterval(timer);
      clearTimeout(again);
      const client = current;
      current = null;
      await client?.end();
    },
  };
}
