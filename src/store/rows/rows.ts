import type { Connection } from "../../core/connection.ts";
import type { Forgotten } from "../../core/forgotten.ts";
import type { Invite } from "../../core/invite.ts";
import type { HeldCause, PushState, SubjectKind } from "../../core/push.ts";
import type { ConnectionKey, PushSummary } from "../contract/store.ts";

/** Rows as every store holds them, and the plain data they become. Only a store wrote the JSON in them. */
export function inviteOf(state: string): Invite {
  return JSON.parse(state);
}

export function forgottenOf(facts: string | null): Forgotten | null {
  return facts === null ? null : JSON.parse(facts);
}

export interface ConnectionRow {
  id: number;
  org: string;
  vendor: string;
  environment: Connection["environment"];
  subject_kind: SubjectKind;
  state: Connection["state"];
  details: string;
  marks: string;
}

/** What a connection's row holds as JSON, since no query asks for it. */
export type ConnectionDetails = Omit<Connection, "id" | keyof ConnectionKey | "state" | "marks">;

export function connectionOf(row: ConnectionRow): Connection {
  const details: ConnectionDetails = JSON.parse(row.details);
  return {
    id: row.id,
    org: row.org,
    vendor: row.vendor,
    environment: row.environment,
    subject: row.subject_kind,
    state: row.state,
    account: details.account,
    ...(details.profile ? { profile: details.profile } : {}),
    ...(details.method ? { method: details.method } : {}),
    isConfirmed: details.isConfirmed ?? true,
    scopes: details.scopes,
    missingScopes: details.missingScopes,
    knownFields: details.knownFields,
    ...(details.leftOut === undefined ? {} : { leftOut: details.leftOut }),
    ...(details.fieldsMadeAt === undefined ? {} : { fieldsMadeAt: details.fieldsMadeAt }),
    tokenExpiresAt: details.tokenExpiresAt,
    login: details.login ?? null,
    connectedAt: details.connectedAt,
    lastSyncAt: details.lastSyncAt,
    outage: details.outage,
    vaultTrouble: details.vaultTrouble ?? null,
    ...(details.refusal ? { refusal: details.refusal } : {}),
    ...(details.crossRegion ? { crossRegion: details.crossRegion } : {}),
    banner: details.banner,
    subscription: details.subscription ?? null,
    ...(details.unsent === undefined ? {} : { unsent: details.unsent }),
    marks: JSON.parse(row.marks),
  };
}

export interface PushRow {
  id: number;
  vendor: string;
  environment: Connection["environment"];
  subject: string;
  state: PushState;
  held_cause: HeldCause | null;
  version: number;
  delivered_version: number;
  pending_since: number | null;
  due_at: number | null;
  projection: string | null;
  rejection: string | null;
  warnings: string | null;
  record: string | null;
}

export function pushOf(row: PushRow): PushSummary {
  return {
    vendor: row.vendor,
    environment: row.environment,
    subject: row.subject,
    state: row.state,
    heldCause: row.held_cause,
    version: row.version,
    deliveredVersion: row.delivered_version,
    pendingSince: row.pending_since,
    dueAt: row.state === "pending" ? row.due_at : null,
    projection: row.projection === null ? null : JSON.parse(row.projection),
    rejection: row.rejection === null ? null : JSON.parse(row.rejection),
    warnings: row.warnings === null ? [] : JSON.parse(row.warnings),
    record: row.record,
  };
}

/** The contact of an invite that belongs to a trial in a vendor's sandbox: no contact in production is told of it. */
export const NO_CONTACT = "";
