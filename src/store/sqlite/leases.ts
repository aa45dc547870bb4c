import { isRunning, type ProcessIdentity } from "../../shared/running.ts";
import type { Db } from "./file.ts";

/**
 * A lease names the very process that holds it, so a killed holder is known by its absence, not by a timeout.
 * The age limit is the net for a holder that lives and does nothing.
 */
const LONGEST_LEASE_MS = 15 * 60_000;

export function createLeases(db: Db, self: ProcessIdentity, now: () => number) {
  const all = db.prepare<[], LeaseRow>(
    "SELECT id, pid, started_at AS startedAt, boot_id AS bootId, claimed_at AS claimedAt FROM leases",
  );
  const insert = db.prepare(
    "INSERT INTO leases (pid, started_at, boot_id, claimed_at) VALUES (@pid, @startedAt, @bootId, @claimedAt)",
  );
  const free = db.prepare("UPDATE pushes SET lease = NULL WHERE lease = ?");
  const close = db.prepare("DELETE FROM leases WHERE id = ?");

  /** Leases whose holders are gone. Each holder is looked up once, however many leases it has. */
  const lost = (): number[] => {
    const verdicts = new Map([[nameOf(self), true]]);
    const lives = (holder: ProcessIdentity): boolean => {
      const verdict = verdicts.get(nameOf(holder)) ?? isRunning(holder);
      verdicts.set(nameOf(holder), verdict);
      return verdict;
    };
    return all
      .all()
      .filter((lease) => !lives(lease) || now() - lease.claimedAt >= LONGEST_LEASE_MS)
      .map((lease) => lease.id);
  };

  return {
    lost,
    open: (): number => Number(insert.run({ ...self, claimedAt: now() }).lastInsertRowid),
    /** Makes claimable again what the lost leases hold. */
    freeLost: () => {
      for (const id of lost()) {
        free.run(id);
        close.run(id);
      }
    },
  };
}

interface LeaseRow extends ProcessIdentity {
  id: number;
  claimedAt: number;
}

function nameOf({ pid, startedAt, bootId }: ProcessIdentity): string {
  return `${pid} ${startedAt} ${bootId}`;
}
