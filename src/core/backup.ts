/** Backups by their names, and which of them are kept. Pure; points in time are ms since the epoch. */

/** The second one of one second has a number: `log-20261128T132152Z-2.backup`. */
const NAME = /^log-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z(?:-\d+)?\.backup$/;

/** Beside each backup, as `sha256sum --check` reads it. It is there before the backup has its name. */
export const SUM = ".sha256";

/** How long the backup was when it was looked through, by what stands beside it; null where that says nothing. */
export function bytesInSum(text: string): number | null {
  const bytes = /^# \{.*"bytes":(\d+)/.exec(text)?.[1];
  return bytes === undefined ? null : Number(bytes);
}

/** Nobody hears of a backup for this long: it is told. */
export const OVERDUE_AFTER_MS = 48 * 3_600_000;

/** A clock that differs by less is right. */
const FARTHEST_AHEAD_MS = 5 * 60_000;

const DAY_MS = 24 * 3_600_000;
const RECENT_MS = 2 * DAY_MS;
/** 1970-01-01 was a Thursday; weeks begin on Mondays. */
const MONDAY_MS = 4 * DAY_MS;

export interface Named {
  name: string;
  at: number;
}

export function backupName(at: number, n = 1): string {
  const time = new Date(at).toISOString().replace(/\.\d+/, "").replaceAll(/[-:]/g, "");
  return `log-${time}${n === 1 ? "" : `-${n}`}.backup`;
}

/** Null for the name of anything else. */
export function timeInName(name: string): number | null {
  const [, year, month, day, hour, minute, second] = NAME.exec(name) ?? [];
  if (year === undefined) return null;
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(at) ? null : at;
}

/** The newest that is not from a time to come: a clock that was ahead says nothing about the day. */
export function newestOf<Backup extends { at: number }>(
  backups: readonly Backup[],
  now: number,
): Backup | null {
  return inOrder(backups, now)[0] ?? null;
}

/**
 * Those that have had their time: neither the newest of one of the newest `daily` days that have one, nor of one of the
 * newest `weekly` weeks. Those of the last two days stay, or the day's own would take one away that somebody has just
 * taken; so do those from a time to come, which are nobody's turn.
 */
export function outdated<Backup extends { at: number }>(
  backups: readonly Backup[],
  { daily, weekly, now }: { daily: number; weekly: number; now: number },
): Backup[] {
  const past = inOrder(backups, now);
  const kept = new Set([
    ...newestOfEach(past, (at) => Math.floor(at / DAY_MS)).slice(0, daily),
    ...newestOfEach(past, (at) => Math.floor((at - MONDAY_MS) / (7 * DAY_MS))).slice(0, weekly),
  ]);
  return past.filter((each) => !kept.has(each) && now - each.at >= RECENT_MS);
}

/** When a backup is removed, where one is taken every day from now on. */
export function goneBy(
  backup: { at: number },
  all: readonly { at: number }[],
  { daily, weekly, now }: { daily: number; weekly: number; now: number },
): number {
  const dayOf = (at: number) => Math.floor(at / DAY_MS);
  const weekOf = (at: number) => Math.floor((at - MONDAY_MS) / (7 * DAY_MS));
  const isNewestOf = (span: (at: number) => number) =>
    all.every(({ at }) => at <= backup.at || span(at) !== span(backup.at));
  // Of a week, or a day, that is not over a newer one will come.
  const isLastOfWeek =
    isNewestOf(weekOf) && (weekOf(backup.at) < weekOf(now) || weekOf(now + DAY_MS) > weekOf(now));
  const ends = [
    backup.at + RECENT_MS,
    isNewestOf(dayOf) ? (dayOf(backup.at) + daily) * DAY_MS : 0,
    isLastOfWeek && weekly > 0 ? (weekOf(backup.at) + weekly) * 7 * DAY_MS + MONDAY_MS : 0,
  ];
  return Math.max(...ends);
}

/** Is there none of these last two days, of a log that is older than that? */
export function isOverdue(since: number, now: number): boolean {
  return now - since > OVERDUE_AFTER_MS;
}

function inOrder<Backup extends { at: number }>(backups: readonly Backup[], now: number): Backup[] {
  return backups.filter(({ at }) => at <= now + FARTHEST_AHEAD_MS).toSorted((a, b) => b.at - a.at);
}

function newestOfEach<Backup extends { at: number }>(
  newestFirst: readonly Backup[],
  span: (at: number) => number,
): Backup[] {
  const seen = new Set<number>();
  return newestFirst.filter(({ at }) => {
    const key = span(at);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
