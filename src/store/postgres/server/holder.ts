import type { Client } from "pg";
import { storeErrors } from "./errors.ts";

/** The first number of a living process's advisory lock; the second is its row in `holders`. `live_holders()` looks for it. */
const HOLDER_LOCK = 27_235;

/**
 * Enters this process among those that can hold something: by a row that it beats on, and a lock that its session keeps, so that
 * a killed one is known at once. `direct` is no pooler's connection.
 */
export async function enterHolder(direct: Client, name: string): Promise<number> {
  return await storeErrors(async () => {
    const { rows } = await direct.query(
      "INSERT INTO jc.holders (name, began_at, beat_at) VALUES ($1, jc.now_ms(), jc.now_ms()) RETURNING id",
      [name],
    );
    const id = Number(rows[0].id);
    await direct.query(`SELECT pg_advisory_lock(${HOLDER_LOCK}, ${id})`);
    return id;
  });
}
