import { emailKey } from "../../../core/event.ts";
import type { Environment } from "../../../core/connection.ts";
import type { PushState, SubjectKind } from "../../../core/push.ts";
import type {
  Covered,
  PushSelection,
  SelectedCounts,
  SelectionPage,
  UnpushedSelection,
} from "../../contract/store.ts";
import type { Db } from "../file/db.ts";
import { NO_CONTACT } from "../rows/rows.ts";
import { SLICE, type Sliced } from "../file/slices.ts";
import { transaction } from "../file/transaction.ts";

/** A push that was raised keeps what it last ended with, until it ends again; of other states nothing is kept. */
const ENDED_BEFORE: Partial<Record<PushState, string>> = {
  delivered: "p.rejection IS NULL AND p.delivered_version > 0",
  rejected: "p.rejection IS NOT NULL",
};

/**
 * Which pushes a replay means and which missing ones a backfill means: counted for the preview, then walked over in
 * pages whose cost does not grow with what lies before them.
 */
export function createSelections(db: Db) {
  const connectionOf = db.prepare<
    [number],
    { org: string; vendor: string; environment: Environment; subject_kind: SubjectKind }
  >("SELECT org, vendor, environment, subject_kind FROM connections WHERE id = ?");

  /** `isRaised`: not those in the state, but those that were in it before they were raised. */
  const pushesOf = (selection: PushSelection, { isRaised = false } = {}) => {
    const connection = connectionOf.get(selection.connectionId);
    const kind = connection?.subject_kind ?? "contact";
    const lastAttempt = `(SELECT max(at) FROM attempts WHERE push_id = p.id${isRaised ? " AND outcome = @state" : ""})`;
    const before = (selection.state && ENDED_BEFORE[selection.state]) ?? "FALSE";
    const conditions = [
      "p.connection_id = @connectionId",
      isRaised ? `AND p.state = 'pending' AND ${before}` : "AND p.state <> 'never'",
      selection.state === undefined || isRaised ? "" : "AND p.state = @state",
      selection.email === undefined
        ? ""
        : kind === "contact"
          ? "AND p.subject = @email"
          : "AND p.subject IN (SELECT assessment FROM invites WHERE org = @org AND contact = @email)",
      selection.invitationIds === undefined
        ? ""
        : `AND p.subject IN (SELECT ${kind} FROM invites WHERE org = @org AND invitation_id IN (SELECT value FROM json_each(@ids)))`,
      selection.since === undefined ? "" : `AND ${lastAttempt} >= @since`,
      selection.until === undefined ? "" : `AND ${lastAttempt} < @until`,
    ];
    const values = {
      connectionId: selection.connectionId,
      org: connection?.org ?? "",
      state: selection.state,
      email: selection.email === undefined ? undefined : emailKey(selection.email),
      ids: JSON.stringify(selection.invitationIds ?? []),
      since: selection.since,
      until: selection.until,
    };
    return { from: `FROM pushes p WHERE ${conditions.join(" ")}`, values };
  };

  const unpushedOf = (selection: UnpushedSelection) => {
    const connection = connectionOf.get(selection.connectionId);
    const kind = connection?.subject_kind ?? "contact";
    const owed = kind === "contact" ? "i.owed = 1" : "i.status = 'completed' AND i.assessment IS NOT NULL";
    const isTrials = kind === "assessment" && connection?.environment === "sandbox";
    const conditions = [
      `i.org = @org AND i.contact ${isTrials ? "=" : "<>"} '${NO_CONTACT}'`,
      kind === "assessment" ? "AND i.state ->> '$.origin.vendor' = @vendor" : "",
      selection.includeInProgress && kind === "contact"
        ? `AND (${owed} OR i.status = 'in_progress')`
        : `AND ${owed}`,
      selection.since === undefined ? "" : "AND i.at >= @since",
      selection.until === undefined ? "" : "AND i.at < @until",
    ];
    const { connectionId, since, until } = selection;
    const { org = "", vendor } = connection ?? {};
    const values = { org, vendor, connectionId, since, until };
    const wanted = conditions.join(" ");
    const from = `FROM invites i WHERE ${wanted} AND NOT EXISTS (SELECT 1 FROM pushes WHERE connection_id = @connectionId AND subject = i.${kind} AND state <> 'never')`;
    return { kind, wanted, from, values };
  };

  const waitingOf = (covered: Covered) => {
    if ("pushes" in covered) return pushesOf(covered.pushes, { isRaised: true });
    const { kind, wanted, values } = unpushedOf(covered.unpushed);
    // Named, since SQLite would rather walk over all invites of that time for each push.
    const invites = `FROM invites i INDEXED BY invites_of_${kind} WHERE ${wanted}`;
    const conditions = `p.connection_id = @connectionId AND p.state = 'pending' AND EXISTS (SELECT 1 ${invites} AND i.${kind} = p.subject)`;
    return { from: `FROM pushes p WHERE ${conditions}`, values };
  };

  const join = db.prepare("UPDATE pushes SET run_id = @runId WHERE id = @id AND state = 'pending'");
  const joinAll = transaction(db, (runId: number, ids: readonly number[]): number =>
    ids.reduce((total, id) => total + join.run({ runId, id }).changes, 0),
  );

  return {
    countPushes: (selection: PushSelection): SelectedCounts => {
      const { from, values } = pushesOf(selection);
      const counts = { pending: 0, delivered: 0, rejected: 0, held: 0 };
      const rows = db.prepare<object, { state: keyof typeof counts; n: number }>(
        `SELECT p.state, count(*) AS n ${from} GROUP BY p.state`,
      );
      for (const { state, n } of rows.all(values)) counts[state] = n;
      return counts;
    },
    selectPushes: (
      selection: PushSelection,
      page: { after: string | null; limit: number },
    ): SelectionPage => {
      const { from, values } = pushesOf(selection);
      const rows = db
        .prepare<object, { id: number; subject: string }>(
          `SELECT p.id, p.subject ${from} AND p.state <> 'held' AND p.id > @after ORDER BY p.id LIMIT @limit`,
        )
        .all({ ...values, after: Number(page.after ?? 0), limit: page.limit });
      const last = rows.length < page.limit ? undefined : rows.at(-1);
      return {
        subjects: rows.map(({ subject }) => subject),
        next: last === undefined ? null : String(last.id),
      };
    },
    countWaiting: (covered: Covered): number => {
      const { from, values } = waitingOf(covered);
      return db.prepare<object, number>(`SELECT count(*) ${from}`).pluck().get(values) ?? 0;
    },
    *adopt(runId: number, covered: Covered, limit: number): Sliced<number> {
      const { from, values } = waitingOf(covered);
      // As with the invites below: in the order of an index, and first the rest of the same moment.
      const sliceOf = (range: string) =>
        db.prepare<object, { id: number; since: number }>(
          `SELECT p.id, p.pending_since AS since ${from} AND ${range} ORDER BY p.pending_since, p.id LIMIT @limit`,
        );
      const sameMoment = sliceOf("p.pending_since = @afterSince AND p.id > @afterId");
      const later = sliceOf("p.pending_since > @afterSince");
      let total = 0;
      let last = { id: 0, since: Number.MIN_SAFE_INTEGER };
      for (;;) {
        const most = Math.min(SLICE, limit - total);
        const after = { ...values, afterSince: last.since, afterId: last.id };
        const rest = sameMoment.all({ ...after, limit: most });
        const rows = [...rest, ...later.all({ ...after, limit: most - rest.length })];
        total += joinAll(
          runId,
          rows.map(({ id }) => id),
        );
        if (rows.length === 0 || rows.length < most) return total;
        last = rows.at(-1) ?? last;
        yield;
      }
    },
    countUnpushed: (selection: UnpushedSelection): number => {
      const { kind, from, values } = unpushedOf(selection);
      return db.prepare<object, number>(`SELECT count(DISTINCT i.${kind}) ${from}`).pluck().get(values) ?? 0;
    },
    selectUnpushed: (
      selection: UnpushedSelection,
      page: { after: string | null; limit: number },
    ): SelectionPage => {
      const { kind, from, values } = unpushedOf(selection);
      const [at = Number.MIN_SAFE_INTEGER, id = 0] = page.after?.split("/").map(Number) ?? [];
      const read = (range: string, limit: number) =>
        db
          .prepare<object, { id: number; at: number; subject: string }>(
            `SELECT i.id, i.at, i.${kind} AS subject ${from} AND ${range} ORDER BY i.at, i.id LIMIT @limit`,
          )
          .all({ ...values, afterAt: at, afterId: id, limit });
      // First the rest of the same moment: as one range, SQLite would walk over all of that moment for each page.
      const rest = read("i.at = @afterAt AND i.id > @afterId", page.limit);
      const rows = [...rest, ...read("i.at > @afterAt", page.limit - rest.length)];
      const last = rows.length < page.limit ? undefined : rows.at(-1);
      return {
        subjects: [...new Set(rows.map(({ subject }) => subject))],
        next: last === undefined ? null : `${last.at}/${last.id}`,
      };
    },
  };
}
