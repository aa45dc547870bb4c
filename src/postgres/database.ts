import { Socket } from "node:net";
import {
  Client,
  Pool,
  type PoolClient,
  type PoolConfig,
  type QueryConfig,
  type QueryResult,
  types,
} from "pg";
import type { Way } from "./connect.ts";
import { isRepeatable, storeErrors } from "./errors.ts";
import { BEGUN, type Db, type Scope, type Sql, type Tx } from "./sql.ts";

/** Beyond it a holder of locks is not there any more, and its transaction is undone. */
const LONGEST_PAUSE_MS = 10_000;
/** The longest that anything waits for a lock at a time. What a sender waits for, who waits 5 s at most, locks orgs alone. */
const LONGEST_WAIT_MS = 10_000;
const LONGEST_WAIT_OF_SENDERS_MS = 2_000;
const MOST_TRIES = 5;
/** The first number of our advisory locks of transactions, by what is locked; all of them are of two numbers. */
const LOCKS = { all: 27_230, org: 27_231, connection: 27_232, key: 27_233 } as const;

/** Nothing that we ask takes as long; a network that swallows what is sent is noticed so. */
const LONGEST_ANSWER_MS = 60_000;
/** The same of what a sender waits for, who is to hear in time that nothing was stored. */
const LONGEST_ANSWER_TO_SENDERS_MS = 10_000;

/** What goes over connections that others took the place of has so long to be answered: by then a network has swallowed it. */
const LAST_ANSWERS_MS = 5_000;

/** Numbers beyond 2^53 are none of ours. */
const INT8 = 20;

export interface OpenDatabase extends Db {
  /** What names it. */
  readonly setting: string;
  /** The present one. */
  readonly pool: Pool;
  /** Other connections from now on: the network may swallow what goes over the present ones. What is under way has 5 s to end. */
  renew(): void;
  close(): Promise<void>;
}

export function openDatabase({ setting, ...config }: PoolConfig & Pick<Way, "setting">): OpenDatabase {
  let current = openPool(config);
  const inWords: InWords = (work) => storeErrors(setting, work);
  return {
    setting,
    get pool() {
      return current.pool;
    },
    read: sqlFrom((text, values = []) => inWords(() => current.pool.query(text, [...values]))),
    write: (scope, work, options = {}) =>
      inWords(() => repeated(() => inTransaction(current.pool, { scope, inWords, ...options }, work))),
    renew: () => {
      const before = current;
      current = openPool(config);
      before.pool.end().catch(() => {});
      setTimeout(before.cutOff, LAST_ANSWERS_MS).unref();
    },
    close: () => current.pool.end(),
  };
}

/** `cutOff` ends its connections, whatever goes over them. */
function openPool(config: PoolConfig): { pool: Pool; cutOff(): void } {
  const sockets = new Set<Socket>();
  const pool = new Pool({
    query_timeout: LONGEST_ANSWER_MS,
    ...config,
    Client: clientNoting((socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    }),
    // What is asked without waiting for the answer before it goes in one message with it.
    pipeline: true,
    types: {
      getTypeParser: (oid, format) => (oid === INT8 ? Number : types.getTypeParser(oid, format)),
    },
  });
  // One that breaks while it rests is opened anew when it is needed; whoever needs it hears of it.
  pool.on("error", () => {});
  return {
    pool,
    cutOff: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/**
 * The driver's client, which leaves a connection open whose login it gave up by itself, as for want of a password: the server
 * would hold the place for a minute. And one that breaks ends the process where nobody listens, as the pool does not while it is
 * lent out, nor in the moment after its login.
 */
function clientNoting(opened: (socket: Socket) => void) {
  return class extends Client {
    readonly #socket: Socket;

    constructor(config: PoolConfig = {}) {
      const socket = new Socket();
      // The pool hides the password from whoever lists what it was given.
      super({ ...config, ...passwordIn(config), stream: () => socket });
      this.#socket = socket;
      // Whoever asks over it hears of it by the answer.
      this.on("error", () => {});
      opened(socket);
    }

    override connect(): Promise<this>;
    override connect(callback: (error: Error | null, client: this) => void): void;
    override connect(callback?: (error: Error | null, client: this) => void): Promise<this> | undefined {
      const connected = super.connect().then(
        () => this,
        (error: Error) => {
          this.#socket.destroy();
          throw error;
        },
      );
      if (!callback) return connected;
      connected.then(
        () => callback(null, this),
        (error: Error) => callback(error, this),
      );
      return undefined;
    }
  };
}

function passwordIn({ password }: PoolConfig): Pick<PoolConfig, "password"> {
  return password === undefined ? {} : { password };
}

async function repeated<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (tries === MOST_TRIES || !isRepeatable(error)) throw error;
    }
  }
}

async function inTransaction<Result>(
  pool: Pool,
  { scope, inWords, atOnce = false }: { scope: Scope; inWords: InWords; atOnce?: boolean },
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect();
  const ask = askerOf(client, isOfSenders(scope) ? LONGEST_ANSWER_TO_SENDERS_MS : LONGEST_ANSWER_MS);
  try {
    const begun = ask(beginning(scope));
    // Whoever waits for it hears of it.
    begun.catch(() => {});
    if (!atOnce) await begun;
    const tx = txOn(ask, { begun, inWords });
    const result = await work(tx.verbs).catch(async (error) => {
      await begun;
      throw error;
    });
    await begun;
    if (!tx.isOver()) await commit(ask);
    client.release();
    return result;
  } catch (error) {
    // One whose end is unknown is closed: the server undoes what it had begun.
    await client.query("ROLLBACK").then(
      () => client.release(),
      () => client.release(true),
    );
    throw error;
  }
}

type Ask = (text: string, values?: readonly unknown[]) => Promise<QueryResult>;
/** What is refused, as an error that an operator can act on. */
type InWords = <Result>(work: () => Promise<Result>) => Promise<Result>;

/** The driver's types do not say that each question may have its own time. */
interface Question extends QueryConfig {
  query_timeout: number;
}

/** What is not answered within the time ends the connection. */
function askerOf(client: PoolClient, longestMs: number): Ask {
  return (text, values = []) => {
    const question: Question = { text, values: [...values], query_timeout: longestMs };
    return client.query(question);
  };
}

/** Throws where a statement had failed: the database then undoes all of it, and says so in no other way. */
async function commit(ask: Ask): Promise<void> {
  const { command } = await ask("COMMIT");
  if (command !== "COMMIT") throw new Error(`the transaction ended with ${command}`);
}

/** Only the first statement may go before the transaction is known to have begun. */
function txOn(
  ask: Ask,
  { begun, inWords }: { begun: Promise<unknown>; inWords: InWords },
): { verbs: Tx; isOver(): boolean } {
  let isFirst = true;
  let isOver = false;
  const turn = async () => {
    if (isOver) throw new Error("a statement follows the transaction's last one");
    if (!isFirst) await begun;
    isFirst = false;
  };
  const query: Ask = (text, values) =>
    inWords(async () => {
      await turn();
      return await ask(text, values);
    });
  const last: Tx["last"] = async (text, values) => {
    await turn();
    isOver = true;
    const [done, committed] = await Promise.allSettled([
      inWords(() => ask(text, values)),
      inWords(() => commit(ask)),
    ]);
    if (done.status === "rejected") throw done.reason;
    if (committed.status === "rejected") throw committed.reason;
    return done.value.rows[0];
  };
  return { verbs: { ...sqlFrom(query), last }, isOver: () => isOver };
}

function isOfSenders(scope: Scope): boolean {
  return scope !== "all" && scope.orgs !== undefined;
}

/** In one message, so that locks cost no round trip of their own; taken in one order by all. */
function beginning(scope: Scope): string {
  const settings = [
    "SET LOCAL synchronous_commit = on",
    `SET LOCAL lock_timeout = ${isOfSenders(scope) ? LONGEST_WAIT_OF_SENDERS_MS : LONGEST_WAIT_MS}`,
    `SET LOCAL idle_in_transaction_session_timeout = ${LONGEST_PAUSE_MS}`,
  ];
  return ["BEGIN", ...settings, ...locksOf(scope), `SET LOCAL ${BEGUN} = 'on'`].join(";");
}

function locksOf(scope: Scope): string[] {
  if (scope === "all") return [`SELECT pg_advisory_xact_lock(${LOCKS.all}, 0)`];
  const { orgs = [], connections = [], keys = [] } = scope;
  const named = (first: number, names: readonly string[]) =>
    [...new Set(names.map(numberOf))]
      .toSorted((a, b) => a - b)
      .map((number) => `SELECT pg_advisory_xact_lock(${first}, ${number})`);
  return [
    `SELECT pg_advisory_xact_lock_shared(${LOCKS.all}, 0)`,
    ...named(LOCKS.org, orgs),
    ...[...new Set(connections)]
      .toSorted((a, b) => a - b)
      .map((id) => `SELECT pg_advisory_xact_lock(${LOCKS.connection}, ${id})`),
    ...named(LOCKS.key, keys),
  ];
}

/** FNV-1a. Two names with one number only wait for each other. */
function numberOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index += 1)
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  return hash | 0;
}

function sqlFrom(query: Ask): Sql {
  return {
    all: async (text, values) => (await query(text, values)).rows,
    get: async (text, values) => (await query(text, values)).rows[0],
    run: async (text, values) => (await query(text, values)).rowCount ?? 0,
  };
}
