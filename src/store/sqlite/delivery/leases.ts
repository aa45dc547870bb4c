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
  const columns = "id, pid, started_at AS startedAt, boot_id AS bootId, claimed_at AS claimedAt";
  const isSelf = "pid = @pid AND started_at = @startedAt AND boot_id = @bootId";
  const ofOthers = db.prepare<[ProcessIdentity], LeaseRow>(
    `SELECT ${columns} FROM leases WHERE NOT (${isSelf})`,
  );
  const aged = db.prepare<[ProcessIdentity & { before: number }], LeaseRow>(
    `SELECT ${columns} FROM leases WHERE claimed_at <= @before AND ${isSelf}`,
  );
  const one = db.prepare<[number], LeaseRow>(`SELECT ${columns} FROM leases WHERE id = ?`);
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
  const forgetIfClosed = (id: number) => {
    if (one.get(id)) return;
    ours.delete(id);
    letGo.delete(id);
  };
  let mostRemembered = MOST_REMEMBERED;
  /** What a transaction closed may be open again when it does not commit. */
  const forgetClosed = () => {
    if (db.inTransaction) return;
    for (const id of letGo) forgetIfClosed(id);
    if (ours.size < mostRemembered) return;
    for (const id of ours.keys()) forgetIfClosed(id);
    mostRemembered = 2 * ours.size + MOST_REMEMBERED;
  };

  /**
   * Leases whose holders are gone. Asked at each claim, so those that this store works on are not read: there is one for
   * each call under way. Each holder is looked up once, however many leases it has.
   */
  const lost = (): number[] => {
    const verdicts = new Map([[nameOf(self), true]]);
    const lives = (holder: ProcessIdentity): boolean => {
      const verdict = verdicts.get(nameOf(holder)) ?? isRunning(holder);
      verdicts.set(nameOf(holder), verdict);
      return verdict;
    };
    forgetClosed();
    const mayBeLost = [
      ...ofOthers.all(self),
      ...aged.all({ ...self, before: now() - LONGEST_LEASE_MS }).filter(({ id }) => !letGo.has(id)),
      ...[...letGo].flatMap((id) => one.get(id) ?? []),
    ];
    return mayBeLost.filter((lease) => !lives(lease) || isOver(lease)).map((lease) => lease.id);
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
