import type { AlertNote, UnsentAlert, Incident } from "../../contract/store.ts";
import { STILL_NEWS_MS } from "../../rows/alerts.ts";
import type { Db } from "../file/db.ts";
import { transaction } from "../file/transaction.ts";

/** One row per open incident: found again it changes nothing, over it goes, so that the next one alerts anew. */
export function createAlerts(db: Db) {
  const open = db.prepare(`
    INSERT INTO alerts (key, org, text, opened_at, due_at) VALUES (@key, @org, @text, @now, @now)
    ON CONFLICT (key) DO NOTHING`);
  const closeOthers = db.prepare(`
    DELETE FROM alerts WHERE key NOT IN (SELECT value FROM json_each(@keys))
      AND (sent_at IS NOT NULL OR tries = 0 OR opened_at < @oldest)`);
  const unsent = db.prepare<[], UnsentAlert>(
    "SELECT id, org, text, tries, due_at AS dueAt FROM alerts WHERE sent_at IS NULL ORDER BY id",
  );
  const take = db.prepare("UPDATE alerts SET due_at = ? WHERE id = ? AND due_at = ? AND sent_at IS NULL");
  const sent = db.prepare("UPDATE alerts SET sent_at = ? WHERE id = ?");
  const putOff = db.prepare("UPDATE alerts SET due_at = ?, tries = tries + 1 WHERE id = ?");
  return {
    keepIncidents: transaction(db, (incidents: readonly Incident[], now: number): UnsentAlert[] => {
      const keys = JSON.stringify(incidents.map(({ key }) => key));
      closeOthers.run({ keys, oldest: now - STILL_NEWS_MS });
      for (const incident of incidents) open.run({ ...incident, now });
      return unsent.all();
    }),
    takeAlert: transaction(
      db,
      ({ id, dueAt }: Pick<UnsentAlert, "id" | "dueAt">, until: number): boolean =>
        take.run(until, id, dueAt).changes === 1,
    ),
    noteAlert: transaction(db, (id: number, note: AlertNote): void => {
      if ("sentAt" in note) sent.run(note.sentAt, id);
      else putOff.run(note.dueAt, id);
    }),
  };
}
