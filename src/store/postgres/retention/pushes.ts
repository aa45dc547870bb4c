import type { PushState, SubjectKind } from "../../../core/push.ts";
import { isOfSubject } from "../../rows/subject-sql.ts";
import type { Sql } from "../../../postgres/sql.ts";
import { staysAfter } from "./stays.ts";
import { noteRemoved, type PurgeTable } from "./step.ts";

const PUSHES = 200;

interface Place {
  connectionId: number;
  subject: string;
}

interface ConnectionRow {
  id: number;
  org: string;
  kind: SubjectKind;
}

/** Connection by connection, in the order of an index that holds the subjects. */
export const purgePushes: PurgeTable = async (tx, { after, isDry, cutoffOf, now }) => {
  const place: Place | null = after === null ? null : JSON.parse(after);
  const of = await tx.get<ConnectionRow>(
    `SELECT id, org, subject_kind AS kind FROM jc.connections WHERE ${place ? "id = $1" : "id > $1"} ORDER BY id LIMIT 1`,
    [place?.connectionId ?? 0],
  );
  if (!of) return { removed: {}, next: null };
  const cutoff = cutoffOf(of.org);
  const rows = await pageOf(tx, of, { after: place?.subject ?? "", cutoff });
  const going = rows.filter(({ isWanted, isSettled }) => !isWanted && isSettled);
  const ids = going.map(({ id }) => id);
  const inState = (state: PushState) => going.filter((push) => push.state === state).length;
  const removed = { pushes: going.length, rejected: inState("rejected"), attempts: 0 };
  // Of old attempts the last alone is left by now, or would be.
  if (isDry) removed.attempts = going.filter(({ hasAttempt }) => hasAttempt).length;
  else if (ids.length > 0) {
    removed.attempts = await tx.run("DELETE FROM jc.attempts WHERE push_id = ANY ($1::bigint[])", [ids]);
    await tx.run("DELETE FROM jc.pushes WHERE id = ANY ($1::bigint[])", [ids]);
    await noteRemoved(tx, { org: of.org, what: "rejected", n: removed.rejected, now });
    await countOn(tx, of.id, inState("delivered"));
  }
  const last = rows.length < PUSHES ? undefined : rows.at(-1);
  const following: Place | null = last
    ? { connectionId: of.id, subject: last.subject }
    : await beginningAfter(tx, of.id);
  return { removed, next: following && JSON.stringify(following) };
};

interface OldPush {
  id: number;
  subject: string;
  state: PushState;
  isWanted: boolean;
  isSettled: boolean;
  hasAttempt: boolean;
}

function pageOf(
  tx: Sql,
  { id, org, kind }: ConnectionRow,
  { after, cutoff }: { after: string; cutoff: number },
): Promise<OldPush[]> {
  const stays = staysAfter("$4");
  return tx.all<OldPush>(
    `SELECT p.id, p.subject, p.state,
      EXISTS (SELECT 1 FROM jc.invites i WHERE i.org = $2 AND ${isOfSubject(kind, "p.subject")} AND ${stays})
        OR (p.record IS NOT NULL AND EXISTS (
          SELECT 1 FROM jc.pushes m JOIN jc.invites i ON i.org = $2 AND ${isOfSubject(kind, "m.subject")}
          WHERE m.connection_id = p.connection_id AND m.record = p.record AND ${stays})) AS "isWanted",
      p.state NOT IN ('pending', 'held')
        AND coalesce((SELECT max(at) FROM jc.attempts WHERE push_id = p.id), 0) < $4 AS "isSettled",
      EXISTS (SELECT 1 FROM jc.attempts WHERE push_id = p.id) AS "hasAttempt"
      FROM jc.pushes p WHERE p.connection_id = $1 AND p.subject > $3 ORDER BY p.subject LIMIT ${PUSHES}`,
    [id, org, after, cutoff],
  );
}

/** What was delivered and is gone counts on. */
async function countOn(tx: Sql, connectionId: number, delivered: number): Promise<void> {
  if (delivered === 0) return;
  await tx.run(
    `INSERT INTO jc.gone_counts AS g VALUES ($1, $2)
      ON CONFLICT (connection_id) DO UPDATE SET delivered = g.delivered + excluded.delivered`,
    [connectionId, delivered],
  );
}

async function beginningAfter(tx: Sql, connectionId: number): Promise<Place | null> {
  const row = await tx.get<{ id: number }>(
    "SELECT id FROM jc.connections WHERE id > $1 ORDER BY id LIMIT 1",
    [connectionId],
  );
  return row ? { connectionId: row.id, subject: "" } : null;
}
