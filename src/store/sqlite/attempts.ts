import { emailKey } from "../../core/event.ts";
import type { AttemptQuery, LoggedAttempt } from "../contract.ts";
import type { Db } from "./file.ts";

/** The delivery log: attempts as they were appended. */
export function createAttempts(db: Db) {
  return {
    attempts: (query: AttemptQuery): LoggedAttempt[] => {
      const conditions = [
        "c.org = @org AND a.id > @after",
        query.vendor === undefined ? "" : "AND c.vendor = @vendor",
        query.outcome === undefined ? "" : "AND a.outcome = @outcome",
        query.email === undefined ? "" : "AND p.subject = @subject",
        query.since === undefined ? "" : "AND a.at >= @since",
        query.until === undefined ? "" : "AND a.at < @until",
      ];
      const rows = db.prepare<object, LoggedAttempt>(`
        SELECT a.id, a.at, a.version, a.outcome, a.http_status AS httpStatus, a.correlation_id AS correlationId,
          a.duration_ms AS durationMs, a.reason, c.vendor, p.subject
        FROM attempts a JOIN pushes p ON p.id = a.push_id JOIN connections c ON c.id = p.connection_id
        WHERE ${conditions.join(" ")} ORDER BY a.id DESC LIMIT @limit`);
      const { org, after = 0, vendor, outcome, since, until, limit } = query;
      const subject = query.email === undefined ? undefined : emailKey(query.email);
      return rows.all({ org, after, vendor, outcome, subject, since, until, limit }).reverse();
    },
  };
}
