import { Client } from "pg";
import type { Way } from "../../postgres/connect.ts";
import type { Clock } from "../../shared/clock.ts";
import { AppError } from "../../shared/errors.ts";
import type { VaultNotices } from "../contract.ts";
import { vaultErrors } from "./errors.ts";
import { VAULT_CHANNEL } from "./place.ts";

/** The first number of a vault's locks; the second is a hash of the name. */
const LOCKS = 27_236;
/** Longer than the slowest refresh; a holder that takes more is stopped or stuck. */
const LONGEST_WAIT_MS = 60_000;
/** A connection that does not answer for so long is lost: what lies between may swallow all that is sent. */
const LONGEST_ANSWER_MS = 2_000;
/** What was heard counts for so long; then the revision is asked for. */
const COUNTS_MS = 2_000;
const AGAIN_AFTER_MS = 500;
/** No vault sees so many writes. */
const LONGEST_HISTORY = 2 ** 32;

/** The server frees the locks of a machine that vanished within 30 s. */
const ENDS_WHAT_VANISHED = [
  "SET tcp_keepalives_idle = 10",
  "SET tcp_keepalives_interval = 5",
  "SET tcp_keepalives_count = 3",
  "SET tcp_user_timeout = 25000",
].join(";");

const REVISION = "SELECT revision FROM jc_vault.vault";

/** What one process hears of the others, and holds against them, over a connection that is no pooler's. */
export interface VaultSession {
  /** Moves within a moment of every write; and all the time while nothing can be heard. */
  revision(): number;
  /** A statement of this process has seen this one. */
  saw(revision: number): void;
  notices: VaultNotices;
  /** Throws `VAULT_UNAVAILABLE`. */
  exclusively<T>(name: string, work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export function vaultSession(
  { setting, ...config }: Way,
  clock: Pick<Clock, "sleep" | "monotonic">,
): VaultSession {
  let client: Client | null = null;
  let opening: Promise<Client> | null = null;
  let known = 0;
  /** How often the revision was asked for in vain: whoever wants it then shall read anew, and hear why that cannot be. */
  let silences = 0;
  let isClosed = false;
  let heardAt = Number.NEGATIVE_INFINITY;
  let triedAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | null = null;
  const turns = new Map<string, Promise<unknown>>();

  const listeners = new Set<() => void>();

  const know = (revision: number) => {
    if (revision === known) return;
    known = revision;
    for (const heard of listeners) heard();
  };
  const saw = (revision: number) => know(Math.max(known, revision));
  const lost = (which: Client) => {
    if (which !== client) return;
    client = null;
    which.end().catch(() => {});
    for (const heard of listeners) heard();
  };
  const connect = async (): Promise<Client> => {
    const fresh = new Client({ ...config, query_timeout: LONGEST_ANSWER_MS });
    fresh.on("error", () => lost(fresh));
    fresh.on("end", () => lost(fresh));
    fresh.on("notification", ({ payload }) => {
      saw(Number(payload));
      heardAt = clock.monotonic();
    });
    try {
      await fresh.connect();
      await fresh.query(`${ENDS_WHAT_VANISHED};LISTEN ${VAULT_CHANNEL}`);
    } catch (error) {
      fresh.end().catch(() => {});
      throw error;
    }
    client = fresh;
    if (isClosed) await fresh.end();
    return fresh;
  };
  const opened = async (): Promise<Client> => {
    if (client) return client;
    opening ??= connect().finally(() => {
      opening = null;
    });
    return await opening;
  };
  const ask = async () => {
    triedAt = clock.monotonic();
    const asked = await opened().catch(() => null);
    try {
      if (!asked) throw new Error("nobody answers");
      const { rows } = await asked.query(REVISION);
      // Not the highest: a database may be put back to what it was.
      know(Number(rows[0]?.revision ?? 0));
      heardAt = clock.monotonic();
    } catch (error) {
      // A vault that was never written to has no table yet.
      if (isUnknownTable(error)) heardAt = clock.monotonic();
      else silences += 1;
      if (asked && !isUnknownTable(error)) lost(asked);
    }
  };

  return {
    saw,
    notices: {
      listen: (heard) => {
        listeners.add(heard);
        return () => void listeners.delete(heard);
      },
      isWorking: () => client !== null,
    },
    revision: () => {
      const now = clock.monotonic();
      const isStale = now - heardAt >= COUNTS_MS;
      if (isStale && !isClosed && now - triedAt >= AGAIN_AFTER_MS)
        asking ??= ask().finally(() => {
          asking = null;
        });
      return silences * LONGEST_HISTORY + known;
    },
    exclusively: async (name, work) => {
      // The session's locks do not part those who share it.
      const before = turns.get(name) ?? Promise.resolve();
      const turn = before.then(() => locked({ setting, opened, lost, clock }, name, work));
      const settled = turn.catch(() => {});
      turns.set(name, settled);
      try {
        return await turn;
      } finally {
        if (turns.get(name) === settled) turns.delete(name);
      }
    },
    close: async () => {
      isClosed = true;
      await asking;
      const open = client;
      client = null;
      await open?.end();
    },
  };
}

interface Locking extends Pick<Way, "setting"> {
  opened(): Promise<Client>;
  /** Ends that session, and with it whatever it holds. */
  lost(session: Client): void;
  clock: Pick<Clock, "sleep" | "monotonic">;
}

/** A lock that is lost with the connection keeps nobody from going on: its holder does not know. */
async function locked<T>(locking: Locking, name: string, work: () => Promise<T>): Promise<T> {
  const holder = await acquire(locking, name);
  try {
    return await work();
  } finally {
    // What is unknown, or may come late, ends with its session: a lock that nobody knows of would never be freed.
    await holder
      .query("SELECT pg_advisory_unlock($1, hashtext($2))", [LOCKS, name])
      .catch(() => locking.lost(holder));
  }
}

async function acquire({ setting, opened, lost, clock }: Locking, name: string): Promise<Client> {
  const giveUpAt = clock.monotonic() + LONGEST_WAIT_MS;
  for (;;) {
    const taken = await vaultErrors(setting, async () => {
      const asked = await opened();
      try {
        const { rows } = await asked.query("SELECT pg_try_advisory_lock($1, hashtext($2)) AS is_ours", [
          LOCKS,
          name,
        ]);
        return rows[0]?.is_ours === true ? asked : null;
      } catch (error) {
        lost(asked);
        throw error;
      }
    });
    if (taken) return taken;
    if (clock.monotonic() >= giveUpAt)
      throw new AppError("VAULT_UNAVAILABLE", `Another process has held the lock on ${name} for a minute`, {
        hint: `See which in the database: SELECT * FROM pg_locks WHERE locktype = 'advisory' AND classid = ${LOCKS}`,
      });
    // Jitter keeps several waiters from asking in step.
    await clock.sleep(50 + Math.random() * 150);
  }
}

function isUnknownTable(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "42P01" || error.code === "3F000");
}
