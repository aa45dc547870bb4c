import type { Environment } from "../../core/connection.ts";
import { emailKey } from "../../core/event.ts";
import type { PushState, SubjectKind } from "../../core/push.ts";
import type { PushSelection, Selection, UnpushedSelection } from "../contract/store.ts";
import { NO_CONTACT } from "./rows.ts";
import type { Selected } from "./selections.ts";
import { isOfSubject, SUBJECT_COLUMN } from "./subject-sql.ts";

/** What a selection needs to know of its connection. */
export interface SelectedConnection {
  org: string;
  vendor: string;
  environment: Environment;
  subject_kind: SubjectKind;
}

/** Where one store's SQL is not the other's. */
export interface Dialect {
  invites: string;
  pushes: string;
  attempts: string;
  /** Invites `i`, to be looked up by their subject. */
  invitesBy(kind: SubjectKind): string;
  /** Of an invite `i`: the vendor that it came from. */
  originVendor: string;
  /** The texts in `@ids`, a list in JSON, as rows. */
  ids: string;
}

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

/** Which pushes a replay means. `isRaised`: not those in the state, but those that were in it before they were raised. */
export function pushesSelected(
  dialect: Dialect,
  connection: SelectedConnection | undefined,
  selection: PushSelection,
  { isRaised = false } = {},
): Selected {
  const kind = connection?.subject_kind ?? "contact";
  const ended = isRaised ? " AND (outcome = @state OR (outcome = 'recreated' AND @state = 'delivered'))" : "";
  const lastAttempt = `(SELECT max(at) FROM ${dialect.attempts} WHERE push_id = p.id${ended})`;
  const before = (selection.state && ENDED_BEFORE[selection.state]) ?? "FALSE";
  const ofInvites = `p.subject IN (SELECT ${SUBJECT_COLUMN[kind]} FROM ${dialect.invites} i WHERE i.org = @org`;
  const conditions = [
    "p.connection_id = @connectionId",
    isRaised ? `AND p.state = 'pending' AND ${before}` : "AND p.state <> 'never'",
    selection.state === undefined || isRaised ? "" : "AND p.state = @state",
    selection.heldFor === undefined ? "" : "AND p.state = 'held' AND p.held_cause = @heldFor",
    selection.email === undefined
      ? ""
      : kind === "contact"
        ? "AND p.subject = @email"
        : `AND ${ofInvites} AND i.contact = @email)`,
    selection.invitationIds === undefined ? "" : `AND ${ofInvites} AND i.invitation_id IN (${dialect.ids}))`,
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
  return { from: `FROM ${dialect.pushes} p WHERE ${conditions.join(" ")}`, values };
}

/** Which missing pushes a backfill means. `subject` is a column; `wanted` holds of their invites `i`. */
export function unpushedSelected(
  dialect: Dialect,
  connection: SelectedConnection | undefined,
  selection: UnpushedSelection,
): Selected & { kind: SubjectKind; subject: string; wanted: string } {
  const kind = connection?.subject_kind ?? "contact";
  const subject = SUBJECT_COLUMN[kind];
  const owed = OWED[kind];
  const isTrials = kind !== "contact" && connection?.environment === "sandbox";
  const concerned: Readonly<Record<SubjectKind, string>> = {
    contact: "",
    assessment: `AND ${dialect.originVendor} = @vendor`,
    result: `AND coalesce(${dialect.originVendor}, @vendor) = @vendor`,
  };
  const conditions = [
    `i.org = @org AND i.contact ${isTrials ? "=" : "<>"} '${NO_CONTACT}'`,
    concerned[kind],
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
  const told = `SELECT 1 FROM ${dialect.pushes} WHERE connection_id = @connectionId AND subject = ${subject} AND state <> 'never'`;
  return {
    kind,
    subject,
    wanted,
    from: `FROM ${dialect.invites} i WHERE ${wanted} AND NOT EXISTS (${told})`,
    values,
  };
}

/** What of a selection waits already. */
export function waitingSelected(
  dialect: Dialect,
  connection: SelectedConnection | undefined,
  selection: Selection,
): Selected {
  if ("pushes" in selection) return pushesSelected(dialect, connection, selection.pushes, { isRaised: true });
  const { kind, wanted, values } = unpushedSelected(dialect, connection, selection.unpushed);
  const invites = `FROM ${dialect.invitesBy(kind)} WHERE ${wanted}`;
  const conditions = `p.connection_id = @connectionId AND p.state = 'pending' AND EXISTS (SELECT 1 ${invites} AND ${isOfSubject(kind, "p.subject")})`;
  return { from: `FROM ${dialect.pushes} p WHERE ${conditions}`, values };
}
