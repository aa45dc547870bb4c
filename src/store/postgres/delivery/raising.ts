import type { HeldCause } from "../../../core/push.ts";
import type { DeliveryVerbs, Raising } from "../../contract/store.ts";
import { nextVersions, raisePushes } from "../rows/raise.ts";
import { scopeOfConnections } from "../rows/scope.ts";
import type { Db, Sql } from "../../../postgres/sql.ts";
import { inSlices } from "../server/slices.ts";

/** What we believe that a destination holds, corrected without a delivery: it must be told again, or it knows. */
export function createRaising(db: Db): Pick<DeliveryVerbs, "raise"> {
  return {
    raise: async (connectionId, what, now) => {
      const { subjects, current = [] } = what;
      const scope = await scopeOfConnections(db.read, [connectionId]);
      await inSlices(subjects, (slice) =>
        db.write(scope, (tx) => raiseSlice(tx, connectionId, { ...what, subjects: slice, now })),
      );
      await inSlices(current, (slice) =>
        db.write(scope, (tx) =>
          tx.run(
            `UPDATE jc.pushes p SET delivered_version = greatest(p.delivered_version, n.carries)
              FROM unnest($2::text[], $3::bigint[]) AS n (subject, carries)
              WHERE p.connection_id = $1 AND p.subject = n.subject AND p.state = 'delivered' AND p.version <= n.carries`,
            [connectionId, slice.map(({ subject }) => subject), slice.map(({ carries }) => carries)],
          ),
        ),
      );
      return subjects.length;
    },
  };
}

async function raiseSlice(
  tx: Sql,
  connectionId: number,
  {
    subjects,
    now,
    runId = null,
    recreates,
  }: Pick<Raising, "subjects" | "recreates"> & { runId?: number | null; now: number },
): Promise<void> {
  const row = await tx.get<{ cause: HeldCause | null }>(
    "SELECT hold_cause AS cause FROM jc.connections WHERE id = $1",
    [connectionId],
  );
  const holdCause = row?.cause ?? null;
  // As one that was never told, it goes the way of any other.
  if (recreates && holdCause === null)
    await tx.run(
      `UPDATE jc.pushes SET state = 'pending', held_cause = NULL, delivered_version = 0, projection = NULL
        WHERE connection_id = $1 AND subject = ANY ($2::text[]) AND state = 'held' AND held_cause = 'gone'`,
      [connectionId, subjects],
    );
  const versions = await nextVersions(tx, subjects.length);
  const raises = subjects.map((subject, index) => ({
    connectionId,
    subject,
    version: versions[index] ?? 0,
    now,
    holdCause,
    runId,
  }));
  await raisePushes(tx, raises, { urgent: true });
}
