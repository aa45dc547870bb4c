import { Client } from "pg";
import type { Way } from "../../../postgres/connect.ts";
import { storeErrors } from "../../../postgres/errors.ts";
import { isAppError } from "../../../shared/errors.ts";
import { beat, enterHolder, type Holder, newestLease, resumeHolder } from "./holder.ts";
import { createTenure, type Moment } from "./tenure.ts";

export const CHANNEL = "jc_changed";
/** A connection that does not answer for so long is lost: what lies between may swallow all that is sent. */
const LONGEST_ANSWER_MS = 2_000;
const ASK_EVERY_MS = 2_000;
/** At the least, and half as much again at the most: not all machines are to come at once. */
const AGAIN_AFTER_MS = 500;
/**
 * The server ends a session whose machine vanished within 30 s, whether or not it had something to say to it. Who has entered
 * is there after a crash too: else its number would be another's as well.
 */
const SETTINGS = [
  "SET synchronous_commit = on",
  "SET tcp_keepalives_idle = 10",
  "SET tcp_keepalives_interval = 5",
  "SET tcp_keepalives_count = 3",
  "SET tcp_user_timeout = 25000",
].join(";");
/** While nobody can be heard. */
const POLL_EVERY_MS = 250;

export interface DirectOptions {
  config: Way;
  name: string;
  /** What must have been done before the first session. */
  prepare(): Promise<void>;
  /** Throws where nobody is to work on what is there. Asked before this process is among the holders, and when it is. */
  insist(client: Client): Promise<void>;
  /** Is a server waited for that cannot be reached, or used, at first? */
  staysUp: boolean;
  /** Another process changed something, or may have. */
  onChange(): void;
  /** It was lost, and those that rest beside it may be as well. */
  onLost(): void;
  /** Why there is no connection; null once there is one again. `isEntered`: there was one before. */
  onTrouble(problem: unknown, isEntered: boolean): void;
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

function againAfterMs(): number {
  return AGAIN_AFTER_MS * (1 + Math.random() / 2);
}

/**
 * The connection that is no pooler's: it hears of changes, and this process lives as long as it does. One that is lost is opened
 * anew, for as long as it takes; meanwhile `onChange` is called often enough. Throws what the first try meets, unless told to wait.
 */
export async function openDirect(options: DirectOptions): Promise<Direct> {
  const { onChange, onTime } = options;
  const { setting, ...config } = options.config;
  const moment = (): Moment => ({ monotonic: options.monotonic(), date: options.date() });
  const tenure = createTenure(moment);
  let self: Holder | null = null;
  let current: Client | null = null;
  let isPrepared = false;
  let isClosed = false;
  let asking: NodeJS.Timeout | undefined;
  let again: NodeJS.Timeout | undefined;
  let polling: NodeJS.Timeout | undefined;

  const onTrouble = (problem: unknown) => options.onTrouble(problem, self !== null);
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
    options.onLost();
    onTrouble(problem);
    polling ??= setInterval(onChange, POLL_EVERY_MS);
    again = setTimeout(reconnect, againAfterMs());
  };
  const connect = async () => {
    if (!isPrepared) await options.prepare();
    isPrepared = true;
    const client = new Client({ ...config, query_timeout: LONGEST_ANSWER_MS });
    let broken: Error | null = null;
    client.on("error", (error) => {
      broken ??= error;
      lost(client, error);
    });
    client.on("end", () => lost(client, new Error("the connection was ended")));
    client.on("notification", ({ payload }) => {
      if (payload !== String(self?.id)) onChange();
    });
    try {
      await storeErrors(setting, async () => {
        await client.connect();
        await client.query(`${SETTINGS};LISTEN ${CHANNEL}`);
        await options.insist(client);
        if (self === null || !(await resumeHolder(client, self)))
          self = await enterHolder(client, options.name);
        await ask(client, self.id);
        await options.insist(client);
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
      storeErrors(setting, () => ask(client, self?.id ?? 0)).catch((error: unknown) => lost(client, error));
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
      again = setTimeout(reconnect, againAfterMs());
    }
  };

  await connect().catch((error: unknown) => {
    if (!options.staysUp || !isAppError(error, "STORE_UNAVAILABLE")) throw error;
    onTrouble(error);
    again = setTimeout(reconnect, againAfterMs());
  });
  return {
    self: () => self?.id ?? 0,
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
