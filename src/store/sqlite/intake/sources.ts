import type { SourceNote, SourceStanding, TakenEvent, TakenQuery } from "../../contract/store.ts";
import { TRIAL_BYTES, takenOf, type TakenRow } from "../../rows/sources.ts";
import type { Db } from "../file/db.ts";
import { transaction } from "../file/transaction.ts";

/** How each source stands: when it was taken from and refused last, and whether anything could be stored at all. */
export function createSources(db: Db) {
  const note = db.prepare(`
    INSERT INTO sources (source, taken_at, refused_at) VALUES (@source, @takenAt, @refusedAt)
    ON CONFLICT DO UPDATE SET taken_at = coalesce(excluded.taken_at, taken_at),
      refused_at = coalesce(excluded.refused_at, refused_at)`);
  const settle = db.prepare("UPDATE refusals SET settled = n WHERE source = ? AND settled <> n");
  const all = db.prepare<[], SourceStanding>(
    "SELECT source, taken_at AS takenAt, refused_at AS refusedAt FROM sources ORDER BY source",
  );
  const takenWhere = (isOfInvite: string) =>
    db.prepare<TakenQuery, TakenRow>(`
    SELECT e.event_id AS eventId, e.type, e.at, e.received_at AS receivedAt, e.conflict, i.invitation_id AS invitationId
    FROM (SELECT id, invitation_id FROM invites WHERE org = @org ${isOfInvite} ORDER BY at DESC LIMIT @limit) i
      JOIN events e ON e.invite_id = i.id
    WHERE e.source = @source ORDER BY e.seq DESC LIMIT @limit`);
  const taken = takenWhere("");
  const takenOfInvite = takenWhere("AND invitation_id = @invitationId");
  const insert = db.prepare(`INSERT INTO write_trials (bytes) VALUES (zeroblob(${TRIAL_BYTES}))`);
  const remove = db.prepare("DELETE FROM write_trials");
  const fill = transaction(db, (): void => {
    remove.run();
    insert.run();
  });
  const empty = transaction(db, (): void => {
    remove.run();
  });

  return {
    noteSources: transaction(db, (notes: readonly SourceNote[]): void => {
      for (const { source, takenAt = null, refusedAt = null } of notes) {
        note.run({ source, takenAt, refusedAt });
        if (takenAt !== null) settle.run(source);
      }
    }),
    sources: (): SourceStanding[] => all.all(),
    taken: (query: TakenQuery): TakenEvent[] =>
      (query.invitationId === undefined ? taken : takenOfInvite).all(query).reverse().map(takenOf),
    // Two commits: pages that are freed in the commit that filled them are never written.
    tryWriting: (): void => {
      fill();
      empty();
    },
  };
}
