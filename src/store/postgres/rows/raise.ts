import type { HeldCause } from "../../../core/push.ts";
import type { Sql } from "../../../postgres/sql.ts";

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
  const pushes = lastOfEach(raises);
  if (pushes.length === 0) return;
  await tx.run(
    "SELECT jc.raise_pushes($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7)",
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

/** The last raise of each push, in one order, so that two transactions never wait for each other. */
export function lastOfEach<R extends Pick<Raise, "connectionId" | "subject">>(raises: readonly R[]): R[] {
  const last = new Map(raises.map((raise) => [`${raise.connectionId}/${raise.subject}`, raise]));
  return [...last.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, raise]) => raise);
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
