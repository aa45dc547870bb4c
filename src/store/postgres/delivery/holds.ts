import type { ConnectionState } from "../../../core/connection.ts";
import type { HeldCause } from "../../../core/push.ts";
import type { ConnectedHold, DeliveryVerbs } from "../../contract/store.ts";
import type { ConnectionDetails } from "../../rows/rows.ts";
import { SLICE, untilNone } from "../server/slices.ts";
import type { Db, Sql } from "../../../postgres/sql.ts";

/** What is held back whole: a connection without tokens. */
export function createHolds(db: Db): Pick<DeliveryVerbs, "hold" | "release"> {
  return {
    // The cause stands on the connection first: from then on nothing is claimed, however long the rows take.
    hold: async (connectionId, request) => {
      const first = await db.write("all", async (tx) => {
        if (!("changes" in request))
          await tx.run("UPDATE jc.connections SET hold_cause = $1 WHERE id = $2", [
            request.cause,
            connectionId,
          ]);
        else if (!(await beginAsSeen(tx, connectionId, request))) return null;
        return await holdSlice(tx, connectionId);
      });
      if (first === null) return null;
      return first + (await untilNone(() => db.write("all", (tx) => holdSlice(tx, connectionId))));
    },
    release: async (connectionId, { held = [], subjects, putOff }, now) => {
      if (held.length > 0 && !subjects)
        await db.write("all", (tx) =>
          tx.run(
            "UPDATE jc.connections SET hold_cause = NULL WHERE id = $1 AND hold_cause = ANY ($2::text[])",
            [connectionId, held],
          ),
        );
      let total = 0;
      const only = { now, subjects: subjects ?? null };
      for (const cause of held)
        total += await untilNone(() =>
          db.write("all", (tx) => releaseSlice(tx, connectionId, { cause, ...only })),
        );
      if (putOff) total += await untilNone(() => db.write("all", (tx) => hastenSlice(tx, connectionId, now)));
      // Last: where this is cut off, the trouble still tells that there is something to release.
      if (held.includes("vault")) await db.write("all", (tx) => forgetTrouble(tx, connectionId));
      return total;
    },
  };
}

async function causeOf(tx: Sql, connectionId: number): Promise<HeldCause | null> {
  const row = await tx.get<{ cause: HeldCause | null }>(
    "SELECT hold_cause AS cause FROM jc.connections WHERE id = $1",
    [connectionId],
  );
  return row?.cause ?? null;
}

async function beginAsSeen(
  tx: Sql,
  id: number,
  { cause, connectedAt, changes }: ConnectedHold,
): Promise<boolean> {
  const row = await tx.get<{
    state: ConnectionState;
    hold_cause: HeldCause | null;
    details: ConnectionDetails;
  }>("SELECT state, hold_cause, details FROM jc.connections WHERE id = $1", [id]);
  if (!row) return false;
  const isFree = row.hold_cause === null || (row.hold_cause === "vault" && cause !== "vault");
  if (!isFree || row.state !== "connected" || row.details.connectedAt !== connectedAt) return false;
  const { state = row.state, ...rest } = changes;
  await tx.run(
    "UPDATE jc.connections SET hold_cause = $1, state = $2, details = details || $3::jsonb WHERE id = $4",
    [cause, state, JSON.stringify(rest), id],
  );
  return true;
}

async function holdSlice(tx: Sql, connectionId: number): Promise<number> {
  const cause = await causeOf(tx, connectionId);
  if (cause === null) return 0;
  return await tx.run(
    `UPDATE jc.pushes SET state = 'held', held_cause = $1 WHERE id IN
      (SELECT id FROM jc.pushes WHERE connection_id = $2 AND state = 'pending' LIMIT ${SLICE})`,
    [cause, connectionId],
  );
}

async function releaseSlice(
  tx: Sql,
  connectionId: number,
  { cause, now, subjects }: { cause: HeldCause; now: number; subjects: readonly string[] | null },
): Promise<number> {
  const standing = await causeOf(tx, connectionId);
  if (standing === cause) return 0;
  return await tx.run(
    `UPDATE jc.pushes SET state = CASE WHEN $1::text IS NULL THEN 'pending' ELSE 'held' END, held_cause = $1,
      due_at = $2, tries = 0, pending_since = coalesce(pending_since, $2) WHERE id IN
      (SELECT id FROM jc.pushes WHERE connection_id = $3 AND state = 'held' AND held_cause = $4
        AND ($5::text[] IS NULL OR subject = ANY ($5)) LIMIT ${SLICE})`,
    [standing, now, connectionId, cause, subjects],
  );
}

function hastenSlice(tx: Sql, connectionId: number, now: number): Promise<number> {
  return tx.run(
    `UPDATE jc.pushes SET due_at = $1 WHERE id IN (SELECT id FROM jc.pushes
      WHERE connection_id = $2 AND state = 'pending' AND lease IS NULL AND due_at > $1 LIMIT ${SLICE})`,
    [now, connectionId],
  );
}

async function forgetTrouble(tx: Sql, connectionId: number): Promise<void> {
  await tx.run(
    `UPDATE jc.connections SET details = jsonb_set(details, '{vaultTrouble}', 'null')
      WHERE id = $1 AND hold_cause IS DISTINCT FROM 'vault' AND details ->> 'vaultTrouble' IS NOT NULL`,
    [connectionId],
  );
}
