import { Pool, type PoolClient, type PoolConfig, type QueryResult, types } from "pg";
import { isRepeatable, storeErrors } from "./errors.ts";
import type { Db, Scope, Sql, Tx } from "./sql.ts";

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

/** Numbers beyond 2^53 are none of ours. */
const INT8 = 20;

export interface OpenDatabase extends Db {
  pool: Pool;
  close(): Promise<void>;
}

export function openDatabase(config: PoolConfig): OpenDatabase {
  const pool = new Pool({
    query_timeout: LONGEST_ANSWER_MS,
    ...config,
    // What is asked without waiting for the answer before it goes in one message with it.
    pipeline: true,
    types: {
      getTypeParser: (oid, format) => (oid === INT8 ? Number : types.getTypeParser(oid, format)),
    },
  });
  // One that breaks while it rests is opened anew when it is needed; whoever needs it hears of it.
  pool.on("error", () => {});
  // One that breaks while it is lent out tells its query too; unheard, it would end the process.
  pool.on("connect", (client) => client.on("error", () => {}));
  return {
    pool,
    read: sqlOn(pool),
    write: (scope, work, options = {}) =>
      storeErrors(() => repeated(() => inTransaction(pool, { scope, ...options }, work))),
    close: () => pool.end(),
  };
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
  { scope, readsFirst = false }: { scope: Scope; readsFirst?: boolean },
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect();
  try {
    const begun = client.query(beginning(scope));
    // Whoever waits for it hears of it.
    begun.catch(() => {});
    if (!readsFirst) await begun;
    const tx = txOn(client, begun);
    const result = await work(tx.verbs).catch(async (error) => {
      await begun;
      throw error;
    });
    await begun;
    if (!tx.isOver()) await commit(client);
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

/** Throws where a statement had failed: the database then undoes all of it, and says so in no other way. */
async function commit(client: PoolClient): Promise<void> {
  const { command } = await client.query("COMMIT");
  if (command !== "COMMIT") throw new Error(`the transaction ended with ${command}`);
}

/** Only the first statement may go before the transaction is known to have begun. */
function txOn(client: PoolClient, begun: Promise<unknown>): { verbs: Tx; isOver(): boolean } {
  let isFirst = true;
  let isOver = false;
  const query = (text: string, values: readonly unknown[] = []) =>
    storeErrors(async () => {
      if (isOver) throw new Error("a statement follows the transaction's last one");
      if (!isFirst) await begun;
      isFirst = false;
      return await client.query(text, [...values]);
    });
  const runLast = async (text: string, values: readonly unknown[] = []): Promise<void> => {
    await begun;
    isOver = true;
    const [done, committed] = await Promise.allSettled([
      storeErrors(() => client.query(text, [...values])),
      storeErrors(() => commit(client)),
    ]);
    for (const each of [done, committed]) if (each.status === "rejected") throw each.reason;
  };
  return { verbs: { ...sqlFrom(query), runLast }, isOver: () => isOver };
}

/** In one message, so that locks cost no round trip of their own; taken in one order by all. */
function beginning(scope: Scope): string {
  const isOfSenders = scope !== "all" && scope.orgs !== undefined;
  const settings = [
    "SET LOCAL synchronous_commit = on",
    `SET LOCAL lock_timeout = ${isOfSenders ? LONGEST_WAIT_OF_SENDERS_MS : LONGEST_WAIT_MS}`,
    `SET LOCAL idle_in_transaction_session_timeout = ${LONGEST_PAUSE_MS}`,
  ];
  return ["BEGIN", ...settings, ...locksOf(scope)].join(";");
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

function sqlOn(pool: Pool): Sql {
  return sqlFrom((text, values = []) => storeErrors(() => pool.query(text, [...values])));
}

function sqlFrom(query: (text: string, values?: readonly unknown[]) => Promise<QueryResult>): Sql {
  return {
    all: async (text, values) => (await query(text, values)).rows,
    get: async (text, values) => (await query(text, values)).rows[0],
    run: async (text, values) => (await query(text, values)).rowCount ?? 0,
  };
}
