import { emailKey } from "../../../core/event.ts";
import type { Environment } from "../../../core/connection.ts";
import type { PushState, SubjectKind } from "../../../core/push.ts";
import type { PushSelection, Selection, UnpushedSelection } from "../../contract/store.ts";
import type { Db } from "../file/db.ts";
import { NO_CONTACT } from "../../rows/rows.ts";
import { isOfSubject, SUBJECT_COLUMN } from "../../rows/subject-sql.ts";

/** A push that was raised keeps what it last ended with, until it ends again; of other states nothing is kept. */
const ENDED_BEFORE: Partial<Record<PushState, string>> = {
  delivered: "p.rejection IS NULL AND p.delivered_version > 0",
  rejected: "p.rejection IS NOT NULL",
};

/** Which invites have something to tell, and of those which are told there. */
const OWED: Readonly<Record<SubjectKind, string>> = {
  contact: "i.owed = 1",
  assessment: "i.status = 'completed' AND i.assessment IS NOT NULL",
  result: "i.status = 'completed'",
};
const CONCERNED: Readonly<Record<SubjectKind, string>> = {
  contact: "",
  assessment: "AND i.state ->> '$.origin.vendor' = @vendor",
  result: "AND coalesce(i.state ->> '$.origin.vendor', @vendor) = @vendor",
};

/** Which pushes a replay means, which missing ones a backfill means, and which of both wait already, as the ends of statements. */
export function createSelected(db: Db) {
  const connectionOf = db.prepare<
    [number],
    { org: string; vendor: string; environment: Environment; subject_kind: SubjectKind }
  >("SELECT org, vendor, environment, subject_kind FROM connections WHERE id = ?");

  /** `isRaised`: not those in the state, but those that were in it before they were raised. */
  const pushesOf = (selection: PushSelection, { isRaised = false } = {}) => {
    const connection = connectionOf.get(selection.connectionId);
    const kind = connection?.subject_kind ?? "contact";
    const lastAttempt = `(SELECT max(at) FROM attempts WHERE push_id = p.id${isRaised ? " AND (outcome = @state OR (outcome = 'recreated' AND @state = 'delivered'))" : ""})`;
    const before = (selection.state && ENDED_BEFORE[selection.state]) ?? "FALSE";
    const conditions = [
      "p.connection_id = @connectionId",
      isRaised ? `AND p.state = 'pending' AND ${before}` : "AND p.state <> 'never'",
      selection.state === undefined || isRaised ? "" : "AND p.state = @state",
      selection.heldFor === undefined ? "" : "AND p.state = 'held' AND p.held_cause = @heldFor",
      selection.email === undefined
        ? ""
        : kind === "contact"
          ? "AND p.subject = @email"
          : `AND p.subject IN (SELECT ${SUBJECT_COLUMN[kind]} FROM invites i WHERE org = @org AND contact = @email)`,
      selection.invitationIds === undefined
        ? ""
        : `AND p.subject IN (SELECT ${SUBJECT_COLUMN[kind]} FROM invites i WHERE org = @org AND invitation_id IN (SELECT value FROM json_each(@ids)))`,
      selection.since === undefined ? "" : `AND ${lastAttempt} >= @since`,
      selection.until === undefined ? "" : `AND ${lastAttempt} < @until`,
    ];
    const values = {
      connectionId: selection.connectionId,
      org: connection?.org ?? "",
      state: selection.state,
      heldFor: selection.heldFor,
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
    const subject = SUBJECT_COLUMN[kind];
    const owed = OWED[kind];
    const isTrials = kind !== "contact" && connection?.environment === "sandbox";
    const conditions = [
      `i.org = @org AND i.contact ${isTrials ? "=" : "<>"} '${NO_CONTACT}'`,
      CONCERNED[kind],
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
    const from = `FROM invites i WHERE ${wanted} AND NOT EXISTS (SELECT 1 FROM pushes WHERE connection_id = @connectionId AND subject = ${subject} AND state <> 'never')`;
    return { kind, subject, wanted, from, values };
  };

  const waitingOf = (selection: Selection) => {
    if ("pushes" in selection) return pushesOf(selection.pushes, { isRaised: true });
    const { kind, wanted, values } = unpushedOf(selection.unpushed);
    // Named, since SQLite would rather walk over all invites of that time for each push.
    const index = kind === "result" ? "" : `INDEXED BY invites_of_${kind}`;
    const invites = `FROM invites i ${index} WHERE ${wanted}`;
    const conditions = `p.connection_id = @connectionId AND p.state = 'pending' AND EXISTS (SELECT 1 ${invites} AND ${isOfSubject(kind, "p.subject")})`;
    return { from: `FROM pushes p WHERE ${conditions}`, values };
  };

  return { pushesOf, unpushedOf, waitingOf };
}
