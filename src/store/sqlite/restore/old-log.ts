import { statSync } from "node:fs";
import Database from "better-sqlite3";
import type { Connection } from "../../../core/connection.ts";
import type { HeldCause } from "../../../core/push.ts";
import { isRunning, type ProcessIdentity } from "../../../shared/process-identity.ts";
import type { ConnectionKey, OldConnection, OldLogStanding } from "../../contract/store.ts";
import type { Db } from "../file/db.ts";
import { APPLICATION_ID } from "../file/migrations.ts";
import { CONNECTION_COLUMNS } from "../rows/columns.ts";
import { createStatesOf } from "../rows/invites-of.ts";
import { type ConnectionRow, connectionOf } from "../../rows/rows.ts";
import { attempt } from "./old-events.ts";

/** The log that a backup takes the place of: looked at only, whatever state it is in. */

export interface OldLog {
  db: Db | null;
  condition: "absent" | "readable" | "unreadable";
  reason: string | null;
}

/** Looks at all of it. */
export function conditionOf(path: string): Pick<OldLogStanding, "condition" | "reason"> {
  const { db, condition, reason } = openOldLog(path);
  if (!db || condition !== "readable")
    return { condition: condition === "absent" ? condition : "unreadable", reason };
  try {
    const found = attempt(() => String(db.pragma("integrity_check(1)", { simple: true })));
    if (found === "ok") return { condition: "whole", reason: null };
    return { condition: "damaged", reason: found?.split("\n").at(-1) ?? "a page of it cannot be read" };
  } finally {
    db.close();
  }
}

/** Services that live, as the log has noted them. */
export function servicesIn(db: Db): number[] {
  const rows = attempt(() =>
    db
      .prepare<[], ProcessIdentity>("SELECT pid, started_at AS startedAt, boot_id AS bootId FROM services")
      .all(),
  );
  return (rows ?? []).filter(isRunning).map(({ pid }) => pid);
}

/** To be closed by whoever opens it. */
export function openOldLog(path: string): OldLog {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0) return { db: null, condition: "absent", reason: null };
  let db: Db | null = null;
  try {
    db = new Database(path, { readonly: true, timeout: 2_000 });
    db.pragma("cell_size_check = ON");
    if (db.pragma("application_id", { simple: true }) !== APPLICATION_ID)
      return closed(db, "it is another program's database");
    if (db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'events'").get() === undefined)
      return closed(db, "it has no table of events");
    return { db, condition: "readable", reason: null };
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    return closed(db, error.message);
  }
}

function closed(db: Db | null, reason: string): OldLog {
  db?.close();
  return { db: null, condition: "unreadable", reason };
}

export function connectionsIn(db: Db): OldConnection[] {
  const rows = attempt(() =>
    db
      .prepare<[], ConnectionRow & { hold_cause: HeldCause | null }>(
        CONNECTION_COLUMNS.replace("details,", "details, hold_cause,"),
      )
      .all(),
  );
  return (rows ?? []).map((row) => {
    const connection = connectionOf(row);
    return { key: keyOf(connection), connection, holdCause: row.hold_cause };
  });
}

function keyOf({ org, vendor, environment, subject }: Connection): ConnectionKey {
  return { org, vendor, environment, subject };
}

/**
 * Subjects of which the vendor is still to be told, by connection. What a person has to decide about one record, as whether
 * a contact that was deleted shall come back, is theirs. Where the new log has nothing of a subject, as its events are
 * lost, there is nothing to tell.
 */
export function owedIn(db: Db, staged: Db): { connection: ConnectionKey; subjects: string[] }[] {
  const statesOf = createStatesOf(staged);
  const isKnown = ({ org, subject: kind }: ConnectionKey, subject: string) => {
    const { states, forgotten } = statesOf({ org, subject_kind: kind }, [subject]);
    return states.length > 0 || forgotten !== null;
  };
  return connectionsIn(db).flatMap(({ key, connection }) => {
    const subjects = attempt(() =>
      db
        .prepare<[number], string>(
          `SELECT subject FROM pushes WHERE connection_id = ?
             AND (state = 'pending' OR (state = 'held' AND held_cause NOT IN ('gone', 'candidate')))`,
        )
        .pluck()
        .all(connection.id),
    );
    const known = (subjects ?? []).filter((subject) => isKnown(key, subject));
    return known.length > 0 ? [{ connection: key, subjects: known }] : [];
  });
}
