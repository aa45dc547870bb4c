import type { Invite } from "../../core/invite.ts";
import type { SubjectKind } from "../../core/push.ts";
import { isRunning, type ProcessIdentity } from "../../shared/running.ts";
import type { Claim } from "../contract.ts";
import type { Db } from "./file.ts";
import { inviteOf } from "./rows.ts";

/**
 * A lease names the very process that holds it, so a killed holder is known by its absence, not by a timeout.
 * The age limit is the net for a holder that lives and does nothing.
 */
const LONGEST_LEASE_MS = 15 * 60_000;

export function createClaims(db: Db, self: ProcessIdentity) {
  const connectionOf = db.prepare<
    [number],
    { org: string; subject_kind: SubjectKind; hold_cause: string | null }
  >("SELECT org, subject_kind, hold_cause FROM connections WHERE id = ?");
  const due = db.prepare<[number, number, number], DueRow>(`
    SELECT id, subject, version, tries, alone FROM pushes
    WHERE connection_id = ? AND state = 'pending' AND lease IS NULL AND due_at <= ?
    ORDER BY due_at LIMIT ?`);
  const openLease = db.prepare(
    "INSERT INTO leases (pid, started_at, boot_id, claimed_at) VALUES (@pid, @startedAt, @bootId, @now)",
  );
  const take = db.prepare("UPDATE pushes SET lease = ?, moved_at = NULL WHERE id = ?");
  const invitesOf = createInvitesOf(db);
  const freeLost = createFreeLost(db, self);

  const claim = db.transaction((request: { connectionId: number; limit: number; now: number }): Claim[] => {
    freeLost(request.now);
    const connection = connectionOf.get(request.connectionId);
    if (!connection || connection.hold_cause !== null) return [];
    const rows = companions(due.all(request.connectionId, request.now, request.limit));
    if (rows.length === 0) return [];
    const lease = Number(openLease.run({ ...self, now: request.now }).lastInsertRowid);
    return rows.map((row) => {
      take.run(lease, row.id);
      const { invites, newestVersion } = invitesOf(connection.org, connection.subject_kind, row.subject);
      return {
        pushId: row.id,
        lease,
        subject: row.subject,
        version: row.version,
        carries: Math.max(row.version, newestVersion),
        tries: row.tries,
        alone: row.alone === 1,
        invites,
      };
    });
  });

  const next = db
    .prepare<[number], number>(
      "SELECT due_at FROM pushes WHERE connection_id = ? AND state = 'pending' AND lease IS NULL ORDER BY due_at LIMIT 1",
    )
    .pluck();
  const open = db.prepare<[], number>("SELECT id FROM connections WHERE hold_cause IS NULL").pluck();
  const dueWork = () => {
    const work: { connectionId: number; dueAt: number }[] = [];
    for (const connectionId of open.all()) {
      const dueAt = next.get(connectionId);
      if (dueAt !== undefined) work.push({ connectionId, dueAt });
    }
    return work;
  };

  return { claim: claim.immediate, dueWork, freeLost: db.transaction(freeLost).immediate };
}

/** One that travels alone goes by itself; the others go without it. */
function companions(rows: DueRow[]): DueRow[] {
  return rows[0]?.alone === 1 ? rows.slice(0, 1) : rows.filter((row) => row.alone === 0);
}

interface DueRow {
  id: number;
  subject: string;
  version: number;
  tries: number;
  alone: 0 | 1;
}

/** All invites of one subject, and the newest version among them. */
export function createInvitesOf(db: Db) {
  const columns = "SELECT state, state_version FROM invites WHERE org = ? AND";
  const byKind = {
    contact: db.prepare<[string, string], InviteStateRow>(`${columns} contact = ?`),
    assessment: db.prepare<[string, string], InviteStateRow>(`${columns} assessment = ?`),
  };
  return (org: string, kind: SubjectKind, subject: string): { invites: Invite[]; newestVersion: number } => {
    const rows = byKind[kind].all(org, subject);
    return {
      invites: rows.map((row) => inviteOf(row.state)),
      newestVersion: rows.reduce((newest, row) => Math.max(newest, row.state_version), 0),
    };
  };
}

interface InviteStateRow {
  state: string;
  state_version: number;
}

/** Takes back the leases of processes that are gone. */
function createFreeLost(db: Db, self: ProcessIdentity) {
  const leases = db.prepare<
    [],
    { id: number; pid: number; started_at: string; boot_id: string; claimed_at: number }
  >("SELECT id, pid, started_at, boot_id, claimed_at FROM leases");
  const free = db.prepare("UPDATE pushes SET lease = NULL WHERE lease = ?");
  const close = db.prepare("DELETE FROM leases WHERE id = ?");
  return (now: number) => {
    const verdicts = new Map<string, boolean>([[[self.pid, self.startedAt, self.bootId].join(), true]]);
    for (const lease of leases.all()) {
      const holder = { pid: lease.pid, startedAt: lease.started_at, bootId: lease.boot_id };
      const key = Object.values(holder).join();
      const lives = verdicts.get(key) ?? isRunning(holder);
      verdicts.set(key, lives);
      if (lives && now - lease.claimed_at < LONGEST_LEASE_MS) continue;
      free.run(lease.id);
      close.run(lease.id);
    }
  };
}
