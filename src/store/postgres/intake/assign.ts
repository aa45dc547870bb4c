import type { Assigned } from "../../../core/invite.ts";
import { concerns, subjectOf } from "../../../core/subject.ts";
import type { Store } from "../../contract/store.ts";
import { inviteOf } from "../../rows/rows.ts";
import type { Db } from "../../../postgres/sql.ts";
import { openBatch } from "./batch.ts";
import { readStanding } from "./standing.ts";

/** An operator's word on whose result an invite's is: as a new state of the invite it raises what has to be told. */
export function createAssign(db: Db): Pick<Store, "assign"> {
  const assign = (of: { org: string; invitationId: string }, assigned: Assigned, now: number) =>
    db.write({ orgs: [of.org] }, async (tx) => {
      const row = await tx.get<{ id: number; contact: string; state: string }>(
        "SELECT id, contact, state FROM jc.invites WHERE org = $1 AND invitation_id = $2",
        [of.org, of.invitationId],
      );
      if (!row) return false;
      const invite = { ...inviteOf(row.state), assigned };
      const about = { events: [], orgs: [of.org], invites: [of], candidates: [] };
      const batch = openBatch(tx, await readStanding(tx, about));
      const his = (["production", "sandbox"] as const)
        .flatMap((each) => batch.destinations(of.org, each))
        .filter(
          ({ vendor, subject_kind: kind }) => vendor === assigned.vendor && concerns(kind, invite, vendor),
        );
      // Where the whole connection is held, that holds it from now on.
      await tx.run(
        `UPDATE jc.pushes p SET state = CASE WHEN h.hold_cause IS NULL THEN 'pending' ELSE 'held' END,
          held_cause = h.hold_cause, due_at = $4, tries = 0
          FROM unnest($1::bigint[], $2::text[], $3::text[]) AS h (id, subject, hold_cause)
          WHERE p.connection_id = h.id AND p.subject = h.subject AND p.state = 'held' AND p.held_cause = 'candidate'`,
        [
          his.map(({ id }) => id),
          his.map(({ subject_kind: kind }) => subjectOf(kind, invite)),
          his.map(({ hold_cause: cause }) => cause),
          now,
        ],
      );
      await batch.save(batch.take(row), invite, now);
      await batch.finish({});
      return true;
    });
  return { assign };
}
