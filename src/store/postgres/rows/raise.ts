import type { HeldCause } from "../../../core/push.ts";
import type { Sql } from "../server/sql.ts";

export interface Raise {
  connectionId: number;
  subject: string;
  version: number;
  now: number;
  /** What holds the connection; null when nothing does. */
  holdCause: HeldCause | null;
  /** The operator's run that asked for it; null for what events ask. */
  runId: number | null;
}

/**
 * Gives pushes their new versions; of several for one push the last counts. One that waits keeps the moment since which it waits
 * and, unless it is `urgent`, its turn; one in flight remembers when it moved; a held one stays held.
 */
export async function raisePushes(
  tx: Sql,
  raises: readonly Raise[],
  { urgent = false }: { urgent?: boolean } = {},
): Promise<void> {
  const last = new Map(raises.map((raise) => [`${raise.connectionId}/${raise.subject}`, raise]));
  // In one order, so that two transactions never wait for each other.
  const pushes = [...last.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, raise]) => raise);
  if (pushes.length === 0) return;
  await tx.run(
    `INSERT INTO jc.pushes AS p (connection_id, subject, state, held_cause, version, pending_since, due_at, run_id)
      SELECT connection_id, subject, CASE WHEN hold_cause IS NULL THEN 'pending' ELSE 'held' END, hold_cause, version, now, now, run_id
      FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[])
        AS r (connection_id, subject, hold_cause, version, now, run_id)
    ON CONFLICT (connection_id, subject) DO UPDATE SET
      version = excluded.version,
      moved_at = CASE WHEN p.lease IS NULL THEN NULL ELSE coalesce(p.moved_at, excluded.pending_since) END,
      due_at = CASE WHEN p.state <> 'pending' THEN excluded.due_at
        WHEN $7 THEN least(p.due_at, excluded.due_at) ELSE p.due_at END,
      tries = CASE WHEN p.state = 'pending' THEN p.tries ELSE 0 END,
      alone = 0,
      run_id = coalesce(excluded.run_id, p.run_id),
      pending_since = CASE WHEN p.state IN ('pending', 'held') THEN coalesce(p.pending_since, excluded.pending_since)
        ELSE excluded.pending_since END,
      held_cause = CASE WHEN p.state = 'held' THEN p.held_cause ELSE excluded.held_cause END,
      state = CASE WHEN p.state = 'held' THEN 'held' ELSE excluded.state END`,
    [
      pushes.map(({ connectionId }) => connectionId),
      pushes.map(({ subject }) => subject),
      pushes.map(({ holdCause }) => holdCause),
      pushes.map(({ version }) => version),
      pushes.map(({ now }) => now),
      pushes.map(({ runId }) => runId),
      urgent,
    ],
  );
}

/** `n` versions, each above all that were given before. */
export async function nextVersions(tx: Sql, n: number): Promise<number[]> {
  if (n === 0) return [];
  const rows = await tx.all<{ version: number }>(
    "SELECT nextval('jc.versions') AS version FROM generate_series(1, $1::int)",
    [n],
  );
  return rows.map(({ version }) => version);
}
