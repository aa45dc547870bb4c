import { isRunning, type ProcessIdentity } from "../../../shared/process-identity.ts";
import type { Db } from "../file/db.ts";

/**
 * A lease names the very process that holds it, so a killed holder is known by its absence, not by a timeout.
 * The age limit is the net for a holder that lives and does nothing. Our own have none: whoever ends lets them go, and a
 * clock that jumps ahead must not have us send what is on its way.
 */
const LONGEST_LEASE_MS = 15 * 60_000;
/** Leases that ended are forgotten now and then. */
const MOST_REMEMBERED = 64;

export function createLeases(db: Db, self: ProcessIdentity, now: () => number) {
  const all = db.prepare<[], LeaseRow>(
    "SELECT id, pid, started_at AS startedAt, boot_id AS bootId, claimed_at AS claimedAt FROM leases",
  );
  const insert = db.prepare(
    "INSERT INTO leases (pid, started_at, boot_id, claimed_at) VALUES (@pid, @startedAt, @bootId, @claimedAt)",
  );
  const free = db.prepare("UPDATE pushes SET lease = NULL WHERE lease = ?");
  const close = db.prepare("DELETE FROM leases WHERE id = ?");

  /** Claimed by this store, and when: numbers come again. Of those, the ones whose claims nobody works on any more. */
  const ours = new Map<number, number>();
  const letGo = new Set<number>();
  const isOurs = (lease: LeaseRow) =>
    ours.get(lease.id) === lease.claimedAt && nameOf(lease) === nameOf(self);
  const isOver = (lease: LeaseRow): boolean =>
    isOurs(lease) ? letGo.has(lease.id) : now() - lease.claimedAt >= LONGEST_LEASE_MS;
  const forgetClosed = (open: readonly LeaseRow[]) => {
    if (ours.size < open.length + MOST_REMEMBERED) return;
    const ids = new Set(open.map(({ id }) => id));
    for (const id of ours.keys()) {
      if (ids.has(id)) continue;
      ours.delete(id);
      letGo.delete(id);
    }
  };

  /** Leases whose holders are gone. Each holder is looked up once, however many leases it has. */
  const lost = (): number[] => {
    const verdicts = new Map([[nameOf(self), true]]);
    const lives = (holder: ProcessIdentity): boolean => {
      const verdict = verdicts.get(nameOf(holder)) ?? isRunning(holder);
      verdicts.set(nameOf(holder), verdict);
      return verdict;
    };
    const open = all.all();
    forgetClosed(open);
    return open.filter((lease) => !lives(lease) || isOver(lease)).map((lease) => lease.id);
  };

  return {
    lost,
    open: (): number => {
      const claimedAt = now();
      const id = Number(insert.run({ ...self, claimedAt }).lastInsertRowid);
      ours.set(id, claimedAt);
      letGo.delete(id);
      return id;
    },
    /** In memory alone, so that a full disk is no hindrance: the next look frees them. */
    letGo: (ids: readonly number[]) => {
      for (const id of ids) if (ours.has(id)) letGo.add(id);
    },
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
