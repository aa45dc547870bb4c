import type { CoordinationVerbs, UnsentAlert } from "../../contract/coordination.ts";
import type { Db } from "../../../postgres/sql.ts";
import { STILL_NEWS_MS } from "../../rows/alerts.ts";

/** One row per open incident: found again it changes nothing, over it goes, so that the next one alerts anew. */
export function createAlerts(db: Db): Pick<CoordinationVerbs, "keepIncidents" | "takeAlert" | "noteAlert"> {
  return {
    keepIncidents: (incidents, now) =>
      db.write({ keys: ["alerts"] }, async (tx) => {
        const keys = incidents.map(({ key }) => key);
        await tx.run(
          `DELETE FROM jc.alerts WHERE key <> ALL ($1::text[]) AND (sent_at IS NOT NULL OR tries = 0 OR opened_at < $2)`,
          [keys, now - STILL_NEWS_MS],
        );
        await tx.run(
          `INSERT INTO jc.alerts (key, org, text, opened_at, due_at)
            SELECT key, org, text, $4::bigint, $4::bigint
            FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS i (key, org, text, n) ORDER BY n
            ON CONFLICT (key) DO NOTHING`,
          [keys, incidents.map(({ org }) => org), incidents.map(({ text }) => text), now],
        );
        return await tx.all<UnsentAlert>(
          `SELECT id, org, text, tries, due_at AS "dueAt" FROM jc.alerts WHERE sent_at IS NULL ORDER BY id`,
        );
      }),
    takeAlert: ({ id, dueAt }, until) =>
      db.write({}, async (tx) => {
        const sql = "UPDATE jc.alerts SET due_at = $1 WHERE id = $2 AND due_at = $3 AND sent_at IS NULL";
        return (await tx.run(sql, [until, id, dueAt])) === 1;
      }),
    noteAlert: (id, note) =>
      db.write({ keys: ["alerts"] }, async (tx) => {
        if ("sentAt" in note)
          await tx.run("UPDATE jc.alerts SET sent_at = $1 WHERE id = $2", [note.sentAt, id]);
        else
          await tx.run("UPDATE jc.alerts SET due_at = $1, tries = tries + 1 WHERE id = $2", [note.dueAt, id]);
      }),
  };
}
