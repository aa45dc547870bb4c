import type { Assigned } from "../../../core/invite.ts";
import { concerns, subjectOf } from "../../../core/subject.ts";
import type { Db } from "../file/db.ts";
import { transaction } from "../file/transaction.ts";
import { createVersions } from "../file/versions.ts";
import { inviteOf } from "../../rows/rows.ts";
import { createDestinationsOf } from "./raise.ts";
import { createSaveInvite } from "./save-invite.ts";

/** An operator's word on whose result an invite's is: as a new state of the invite it raises what has to be told. */
export function createAssign(db: Db) {
  const find = db.prepare<[string, string], { id: number; state: string }>(
    "SELECT id, state FROM invites WHERE org = ? AND invitation_id = ?",
  );
  // Where the whole connection is held, that holds it from now on.
  const free = db.prepare(`
    UPDATE pushes SET state = iif(@holdCause IS NULL, 'pending', 'held'), held_cause = @holdCause, due_at = @now, tries = 0
    WHERE connection_id = @connectionId AND subject = @subject AND state = 'held' AND held_cause = 'candidate'`);
  const withVersions = createVersions(db);
  const destinationsOf = createDestinationsOf(db);
  const save = createSaveInvite(db);

  const assign = transaction(
    db,
    (of: { org: string; invitationId: string }, assigned: Assigned, now: number): boolean => {
      const row = find.get(of.org, of.invitationId);
      if (!row) return false;
      const invite = { ...inviteOf(row.state), assigned };
      const holders = (["production", "sandbox"] as const).flatMap((each) => destinationsOf(of.org, each));
      for (const { id, vendor, subject_kind: kind, hold_cause: holdCause } of holders) {
        const isHis = vendor === assigned.vendor && concerns(kind, invite, vendor);
        if (isHis) free.run({ connectionId: id, subject: subjectOf(kind, invite), holdCause, now });
      }
      withVersions((nextVersion) => {
        const round = {
          nextVersion,
          destinationsOf,
          hasUnmatched: () => true,
          hasTombstones: () => true,
          hasErasures: () => true,
        };
        save(row.id, invite, { now, round });
      });
      return true;
    },
  );
  return { assign };
}
