import { SLICE } from "../server/slices.ts";
import type { Db } from "../../../postgres/sql.ts";

/** What an account was told is of no account to the next one. */
export async function forgetAccount(db: Db, connectionId: number): Promise<void> {
  // Numbers of leases only grow, so one of them tells claims for the old account from those for the new one.
  await db.write("all", (tx) =>
    tx.run(
      `UPDATE jc.connections SET last_foreign_lease = (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM jc.leases_id_seq)
        WHERE id = $1`,
      [connectionId],
    ),
  );
  let last = 0;
  do last = await forgetSlice(db, connectionId, last);
  while (last > 0);
}

/** Returns the last push that it forgot; 0 where there was none. */
function forgetSlice(db: Db, connectionId: number, after: number): Promise<number> {
  return db.write("all", async (tx) => {
    // The rows stay for their attempts' sake; the state `never` hides them until something raises them again.
    // What is in flight goes to the old account: its lease is taken, so that its answer settles nothing here.
    const rows = await tx.all<{ id: number }>(
      `UPDATE jc.pushes SET state = CASE WHEN state IN ('delivered', 'rejected') THEN 'never' ELSE state END, lease = NULL,
        delivered_version = 0, projection = NULL, rejection = NULL, warnings = NULL, record = NULL, receipt = NULL
        WHERE id IN (SELECT id FROM jc.pushes WHERE id > $1 AND connection_id = $2 ORDER BY id LIMIT ${SLICE})
        RETURNING id`,
      [after, connectionId],
    );
    const last = rows.reduce((highest, { id }) => Math.max(highest, id), 0);
    // Addresses that only the old account's contacts told of.
    await tx.run("DELETE FROM jc.pushes WHERE id > $1 AND id <= $2 AND connection_id = $3 AND version = 0", [
      after,
      last,
      connectionId,
    ]);
    return last;
  });
}
