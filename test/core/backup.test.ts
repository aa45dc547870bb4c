import { describe, expect, test } from "vitest";
import { backupName, goneBy, newestOf, outdated, timeInName } from "../../src/core/backup.ts";

const DAY = 24 * 3_600_000;
const NOW = Date.UTC(2026, 10, 28, 3);
const taken = (...daysAgo: number[]) => daysAgo.map((days) => ({ at: NOW - days * DAY }));
const daysAgo = (backups: readonly { at: number }[]) => backups.map(({ at }) => (NOW - at) / DAY);

describe("a backup's name", () => {
  test("tells when it was taken", () => {
    expect(backupName(Date.UTC(2026, 10, 28, 13, 21, 52, 7))).toBe("log-20261128T132152Z.backup");
    expect(timeInName("log-20261128T132152Z.backup")).toBe(Date.UTC(2026, 10, 28, 13, 21, 52));
    expect(timeInName(backupName(NOW, 2))).toBe(NOW);
  });

  test.each([
    "log.db",
    "log-20261128T132152Z.backup.sha256",
    "log-20261399T132152Z.backup",
    "x-log-20261128T132152Z.backup",
  ])("%s is another file's", (name) => expect(timeInName(name)).toBeNull());
});

describe("of the backups", () => {
  const rule = { daily: 7, weekly: 4, now: NOW };

  test("the newest of each of seven days and of four weeks stay", () => {
    const gone = outdated(taken(...Array.from({ length: 60 }, (_, n) => n)), rule);
    const kept = Array.from({ length: 60 }, (_, n) => n).filter((n) => !daysAgo(gone).includes(n));
    // 2026-11-28 is a Saturday: the Sundays before it end their weeks.
    expect(kept).toEqual([0, 1, 2, 3, 4, 5, 6, 13, 20]);
  });

  test("of one day the newest stays, and of the last two days all", () => {
    const backups = taken(0, 0.01, 0.02, 1.01, 1.02, 3, 3.01, 3.02);
    expect(daysAgo(outdated(backups, { ...rule, weekly: 0 }))).toEqual([3.01, 3.02]);
  });

  test("days without any take no place", () => {
    expect(outdated(taken(0, 10, 20, 30, 40, 50, 60), rule)).toEqual([]);
    expect(daysAgo(outdated(taken(0, 10, 20, 30, 40, 50, 60, 70), { ...rule, weekly: 0 }))).toEqual([70]);
  });

  test("one from a time to come is neither the newest, nor removed, nor takes a place", () => {
    const backups = taken(-400, 0, 1, 2, 3, 4, 5, 6);
    expect(newestOf(backups, NOW)?.at).toBe(NOW);
    expect(outdated(backups, { ...rule, weekly: 0 })).toEqual([]);
  });
});

test.each([0, 1, 3, 6])(
  "a backup goes on the day that is told, where one more is taken each day (%i days before)",
  (days) => {
    const DAY = 24 * 3_600_000;
    // 3:00 on a Wednesday, with daily backups of the ten days before.
    const now = Date.UTC(2026, 10, 25, 3);
    const known = Array.from({ length: 10 }, (_, n) => ({ at: now - n * DAY }));
    const backup = known[days];
    if (!backup) throw new Error("there is no such backup");
    const rule = { daily: 7, weekly: 4 };
    const told = goneBy(backup, known, { ...rule, now });
    const isThere = (later: number) => {
      const since = Array.from({ length: later }, (_, n) => ({ at: now + (n + 1) * DAY }));
      return !outdated([...since.toReversed(), ...known], { ...rule, now: now + later * DAY }).includes(
        backup,
      );
    };
    const last = Array.from({ length: 60 }, (_, n) => n).findLast(isThere) ?? 0;
    const dayOf = (at: number) => Math.floor(at / DAY);
    expect(dayOf(told)).toBe(dayOf(now) + last + 1);
  },
);
