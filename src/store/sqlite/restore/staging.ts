import { chmodSync, constants, copyFileSync, mkdirSync, rmSync, statSync } from "node:fs";
import Database from "better-sqlite3";
import type { TakenRows } from "../../contract/store.ts";
import type { Db } from "../file/db.ts";
import { openLog } from "../file/open.ts";
import { attempt } from "./old-events.ts";
import type { Places } from "./places.ts";

/** The new log, while it is made out of a backup. */

/**
 * What forbids to bring back, first, in the order in which it counts: who was erased, what had its time. Then what no event
 * brings again. A table that one of the logs does not have is left out.
 */
const TAKEN_FIRST = ["erasures", "tombstones", "forgotten", "purges"] as const;
const TAKEN_ALONG = [
  "trials",
  "consents",
  "refusals",
  "catalog",
  "invite_requests",
  "request_attempts",
] as const;

/** Makes it anew, whatever a restore that was cut off left there. */
export function stageBackup({ staged, stagedLog }: Places, backup: string, now: number): void {
  rmSync(staged, { recursive: true, force: true });
  mkdirSync(staged, { mode: 0o700 });
  // One that has a -wal is a log that was set aside: what is in there belongs to it.
  if (statSync(`${backup}-wal`, { throwIfNoEntry: false })?.size) copyWithWal(backup, stagedLog);
  else copyFileSync(backup, stagedLog, constants.COPYFILE_FICLONE);
  chmodSync(stagedLog, 0o600);
  const db = openLog(staged, { now });
  try {
    // Whoever knew the old file by its copy sees that it is another one; to nobody it is a stranger.
    db.prepare("UPDATE log_file SET copy = lower(hex(randomblob(16))), accepted_at = ?").run(now);
    // Of processes that have nothing to do with this file.
    db.exec(
      "UPDATE pushes SET lease = NULL WHERE lease IS NOT NULL; DELETE FROM leases; DELETE FROM services",
    );
    db.exec("UPDATE ticks SET holder = NULL WHERE holder IS NOT NULL");
    // Whoever signed out since would be signed in again.
    db.exec("DELETE FROM admin_sessions; DELETE FROM admin_links");
  } finally {
    db.close();
  }
}

function copyWithWal(from: string, to: string): void {
  const db = new Database(from, { readonly: true });
  try {
    db.prepare("VACUUM INTO ?").run(to);
  } finally {
    db.close();
  }
}

/** Row by row, so that one that cannot be read takes no other along. */
export function takeRows(old: Db, staged: Db): TakenRows {
  const rows: Record<string, number> = {};
  const unreadable: string[] = [];
  for (const table of [...TAKEN_FIRST, ...TAKEN_ALONG]) {
    const columns = columnsIn(staged, table).filter((name) => columnsIn(old, table).includes(name));
    if (columns.length === 0) continue;
    const found = attempt(() =>
      old
        .prepare(`SELECT ${columns.join(", ")} FROM ${table}`)
        .raw()
        .all(),
    );
    if (found === null) {
      unreadable.push(table);
      continue;
    }
    const put = staged.prepare(
      `INSERT OR REPLACE INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`,
    );
    staged.transaction(() => {
      for (const row of found) put.run(row);
    })();
    if (found.length > 0) rows[table] = found.length;
  }
  return { rows, unreadable };
}

/** None where there is no such table, or nobody can tell. */
function columnsIn(db: Db, table: string): string[] {
  const columns = attempt(() =>
    db.prepare<[string], string>("SELECT name FROM pragma_table_info(?)").pluck().all(table),
  );
  return columns ?? [];
}

/**
 * What the old log had delivered is delivered, where the new one has the very same events: nobody is told twice of what
 * nothing changed. What a person has to decide about a record stays held for that in any case.
 */
export function settleAsBefore(old: Db, staged: Db, { isSame }: { isSame: boolean }): void {
  const open = staged.prepare<[], OpenPush>(
    `SELECT p.id, c.org, c.vendor, c.environment, p.subject FROM pushes p JOIN connections c ON c.id = p.connection_id
     WHERE p.state = 'pending'`,
  );
  const look = old.prepare<OpenPush, OldPush>(
    `SELECT p.state, p.held_cause AS cause, p.projection FROM pushes p JOIN connections c ON c.id = p.connection_id
     WHERE c.org = @org AND c.vendor = @vendor AND c.environment = @environment AND p.subject = @subject
       AND ((p.state = 'delivered' AND p.delivered_version >= p.version) OR p.held_cause IN ('gone', 'candidate'))`,
  );
  const deliver = staged.prepare(
    `UPDATE pushes SET state = 'delivered', delivered_version = (SELECT value FROM counters WHERE name = 'version'),
       pending_since = NULL, tries = 0, alone = 0, projection = coalesce(@projection, projection), rejection = NULL
     WHERE id = @id`,
  );
  const hold = staged.prepare("UPDATE pushes SET state = 'held', held_cause = @cause WHERE id = @id");
  const receiptOf = createReceiptOf(old);
  const keepReceipt = staged.prepare("UPDATE pushes SET receipt = @receipt WHERE id = @id");
  staged.transaction(() => {
    for (const { id, ...push } of open.all()) {
      const before = attempt(() => look.get({ id, ...push }));
      const receipt = attempt(() => receiptOf({ id, ...push }));
      if (receipt) keepReceipt.run({ id, receipt });
      if (before?.state === "delivered" && isSame) deliver.run({ id, projection: before.projection });
      if (before?.state === "held") hold.run({ id, cause: before.cause });
    }
  })();
}

/** What a destination wanted back: without it what was told once, as a note, would be told anew. */
function createReceiptOf(old: Db): (push: OpenPush) => string | null {
  if (!columnsIn(old, "pushes").includes("receipt")) return () => null;
  const receipt = old
    .prepare<OpenPush, string | null>(
      `SELECT p.receipt FROM pushes p JOIN connections c ON c.id = p.connection_id
       WHERE c.org = @org AND c.vendor = @vendor AND c.environment = @environment AND p.subject = @subject`,
    )
    .pluck();
  return (push) => receipt.get(push) ?? null;
}

interface OldPush {
  state: "delivered" | "held";
  cause: string | null;
  projection: string | null;
}

interface OpenPush {
  id: number;
  org: string;
  vendor: string;
  environment: string;
  subject: string;
}

/** Every open push, and every question, at once: whatever they were put off for was long ago. */
export function makeDue(staged: Db, now: number): number {
  return staged.transaction(() => {
    staged.prepare("UPDATE questions SET due_at = ?, tries = 0").run(now);
    staged.exec("UPDATE connections SET details = json_set(details, '$.outage', NULL)");
    return staged
      .prepare("UPDATE pushes SET due_at = ?, tries = 0, lease = NULL WHERE state = 'pending'")
      .run(now).changes;
  })();
}
