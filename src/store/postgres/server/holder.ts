import type { Client } from "pg";

/** The first number of a living process's advisory lock; the second is its row in `holders`. `live_holders()` looks for it. */
const HOLDER_LOCK = 27_235;
/** A row's age from which the next sign of life is written down. */
const BEAT_MS = 14_000;

/** A process among the holders. A server that was set back may give its number anew, though never with the same beginning. */
export interface Holder {
  id: number;
  beganAt: number;
}

/**
 * Enters this process among those that can hold something: by a row that it beats on, and a lock that its session keeps, so that
 * a killed one is known at once. `direct` is no pooler's connection.
 */
export async function enterHolder(direct: Client, name: string): Promise<Holder> {
  const { rows } = await direct.query(
    "INSERT INTO jc.holders (name, began_at, beat_at) VALUES ($1, jc.now_ms(), jc.now_ms()) RETURNING id, began_at",
    [name],
  );
  const id = Number(rows[0].id);
  await direct.query(`SELECT pg_advisory_lock(${HOLDER_LOCK}, ${id})`);
  return { id, beganAt: Number(rows[0].began_at) };
}

/** The same over a new session, the old one being lost: what is left of that ends. False where its row is gone. */
export async function resumeHolder(direct: Client, { id, beganAt }: Holder): Promise<boolean> {
  const beaten = async () => {
    const text = "UPDATE jc.holders SET beat_at = jc.now_ms() WHERE id = $1 AND began_at = $2";
    return (await direct.query(text, [id, beganAt])).rowCount === 1;
  };
  // The session of another that has the number now is left alone.
  if (!(await beaten())) return false;
  const { rows } = await direct.query(
    `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid()
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
     AND classid = ${HOLDER_LOCK} AND objid = ${id} AND objsubid = 2`,
  );
  if (rows.length > 0) await direct.query("SET lock_timeout = 2000");
  await direct.query(`SELECT pg_advisory_lock(${HOLDER_LOCK}, ${id})`);
  return await beaten();
}

/** The database's time, in ms; and a sign of life, where the last is not of just now. Null where its row is gone. */
export async function beat(direct: Client, id: number): Promise<number | null> {
  const { rows } = await direct.query(
    `WITH beat AS (UPDATE jc.holders SET beat_at = jc.now_ms() WHERE id = $1 AND beat_at < jc.now_ms() - ${BEAT_MS})
     SELECT jc.now_ms() AS now FROM jc.holders WHERE id = $1`,
    [id],
  );
  return rows[0] ? Number(rows[0].now) : null;
}

/** The number of the newest lease that anybody took, perhaps just now; 0 where there was none. */
export async function newestLease(direct: Client): Promise<number> {
  const { rows } = await direct.query(
    "SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS id FROM jc.leases_id_seq",
  );
  return Number(rows[0].id);
}
