import { randomBytes } from "node:crypto";
import type { SourceNote, SourceStanding, Store } from "../../contract/store.ts";
import { TRIAL_BYTES, takenOf, type TakenRow } from "../../rows/sources.ts";
import type { Db } from "../../../postgres/sql.ts";

/** How each source stands: when it was taken from and refused last, and whether anything could be stored at all. */
export function createSources(db: Db): Pick<Store, "noteSources" | "sources" | "taken" | "tryWriting"> {
  return {
    // Of what two machines note the later one counts.
    noteSources: (notes: readonly SourceNote[]) =>
      db.write({ keys: ["refusals"] }, async (tx) => {
        await tx.run(
          `INSERT INTO jc.sources AS s (source, taken_at, refused_at)
            SELECT source, max(taken_at), max(refused_at)
            FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS n (source, taken_at, refused_at) GROUP BY source ORDER BY source
            ON CONFLICT (source) DO UPDATE SET taken_at = greatest(s.taken_at, excluded.taken_at),
              refused_at = greatest(s.refused_at, excluded.refused_at)`,
          [
            notes.map(({ source }) => source),
            notes.map(({ takenAt }) => takenAt ?? null),
            notes.map(({ refusedAt }) => refusedAt ?? null),
          ],
        );
        await tx.run("UPDATE jc.refusals SET settled = n WHERE source = ANY($1::text[]) AND settled <> n", [
          notes.filter(({ takenAt }) => takenAt !== undefined).map(({ source }) => source),
        ]);
      }),
    sources: () =>
      db.read.all<SourceStanding>(
        `SELECT source, taken_at AS "takenAt", refused_at AS "refusedAt" FROM jc.sources ORDER BY source`,
      ),
    taken: async ({ source, org, invitationId, limit }) => {
      const rows = await db.read.all<TakenRow>(
        `SELECT e.event_id AS "eventId", e.type, e.at, e.received_at AS "receivedAt", e.conflict, i.invitation_id AS "invitationId"
          FROM (SELECT id, invitation_id FROM jc.invites WHERE org = $1 AND ($4::text IS NULL OR invitation_id = $4)
              ORDER BY at DESC, id DESC LIMIT $3) i
            JOIN jc.events e ON e.invite_id = i.id
          WHERE e.source = $2 ORDER BY e.seq DESC LIMIT $3`,
        [org, source, limit, invitationId ?? null],
      );
      return rows.toReversed().map(takenOf);
    },
    // Two commits: what is undone in the commit that wrote it need never reach the disk.
    tryWriting: async () => {
      await db.write({}, (tx) =>
        tx.run("INSERT INTO jc.write_trials VALUES ($1::bytea)", [randomBytes(TRIAL_BYTES)]),
      );
      await db.write({}, (tx) => tx.run("DELETE FROM jc.write_trials"));
    },
  };
}
