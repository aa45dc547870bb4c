import { existsSync, linkSync, mkdirSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import Database from "better-sqlite3";
import { restoreCommand } from "../../../core/advice/command-lines.ts";
import { makePrivateDir } from "../../../shared/private-dir.ts";
import { isRunning, thisProcess } from "../../../shared/process-identity.ts";
import { toDisk } from "../../../shared/to-disk.ts";
import type { OldEvents, Restoring } from "../../contract/store.ts";
import type { Db } from "../file/db.ts";
import { statOf } from "../file/file-at.ts";
import { holdersOf, processWords } from "../file/lock-holders.ts";
import { storeErrors, unavailable } from "../file/store-errors.ts";
import { writeAnew } from "../file/write-anew.ts";
import { erasuresIn, peopleIn } from "./erased.ts";
import { attempt, missingEvents } from "./old-events.ts";
import { conditionOf, connectionsIn, openOldLog, owedIn, servicesIn } from "./old-log.ts";
import { type Marker, PARTS, type Places, placesIn, readMarker } from "./places.ts";
import { buryInvites, countBuried } from "../retention/bury.ts";
import { makeDue, settleAsBefore, stageBackup, takeRows } from "./staging.ts";

export function openRestoring(stateDir: string, now: number): Restoring {
  const places = placesIn(stateDir);
  const { log, marker, staged, stagedLog } = places;
  const { oldPath, withOld, withStaged } = createLooks(stateDir, places);
  /** To look at all of it takes a while, and nobody writes it. */
  let standing: (ReturnType<typeof conditionOf> & { inode: bigint | null }) | null = null;
  const inWords = <Result>(work: () => Result): Result => storeErrors(log, work);
  return {
    holders: () => [...new Set([...holdersOf(log), ...withOld([], servicesIn)])].map(processWords),
    old: () => {
      const path = oldPath();
      const inode = statOf(path)?.ino ?? null;
      standing = standing?.inode === inode ? standing : { inode, ...conditionOf(path) };
      const { condition, reason } = standing;
      return { condition, reason, aside: path === log ? null : dirname(path) };
    },
    begin: (backup) => inWords(() => begin(marker, backup, now)),
    stage: (backup) => inWords(() => stageBackup(places, backup, now)),
    stagedDir: () => staged,
    setAside: () => inWords(() => setAside(stateDir, log, readMarker(marker))),
    takeRules: () =>
      withOld({ rows: {}, unreadable: [] }, (old) =>
        withStaged((db) => {
          const taken = takeRows(old, db);
          // Also what the backup still has of them.
          buryInvites(db);
          return taken;
        }),
      ),
    mayHaveErased: (backup) =>
      conditionOf(oldPath()).condition !== "whole" ||
      withOld(true, hasErased) ||
      closing(new Database(backup, { readonly: true }), hasErased),
    erasures: () => withOld([], erasuresIn),
    peopleIn: (backup) => peopleIn(backup),
    vacuum: () => inWords(() => vacuumStaged(stagedLog)),
    staysRemoved: (backup) =>
      withOld(0, (old) =>
        closing(new Database(backup, { readonly: true }), (db) => attempt(() => countBuried(db, old)) ?? 0),
      ),
    attemptsLeft: (backup) =>
      withOld<number | null>(null, (old) =>
        closing(new Database(backup, { readonly: true }), (db) => attempt(() => attemptsBeyond(old, db))),
      ),
    oldConnections: () => withOld([], connectionsIn),
    missingEvents: (known, backup) =>
      missingIn(oldPath(), known === "in the backup" ? backup : places.stagedLog),
    owed: () => withOld([], (old) => withStaged((db) => owedIn(old, db))),
    settleAsBefore: (is) => withOld(undefined, (old) => withStaged((db) => settleAsBefore(old, db, is))),
    makeDue: (at) => withStaged((db) => makeDue(db, at)),
    finish: () => inWords(() => finish(stateDir, places)),
    cancel: () => {
      rmSync(staged, { recursive: true, force: true });
      rmSync(marker, { force: true });
    },
  };
}

/** No by one that is older than that; true where it cannot be read. */
function hasErased(db: Db): boolean {
  const isThere = attempt(
    () => db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'erasures'").get() !== undefined,
  );
  if (isThere === false) return false;
  return attempt(() => db.prepare("SELECT 1 FROM erasures LIMIT 1").get() !== undefined) ?? true;
}

/** Row by row: a number whose row is gone may be given again. */
function attemptsBeyond(old: Db, backup: Db): number {
  const look = backup.prepare(
    "SELECT 1 FROM attempts WHERE id = @id AND push_id = @push_id AND version = @version AND at = @at",
  );
  let n = 0;
  for (const row of old.prepare("SELECT id, push_id, version, at FROM attempts").iterate())
    if (look.get(row) === undefined) n += 1;
  return n;
}

/** Nobody else has it open. */
function vacuumStaged(path: string): void {
  const db: Db = new Database(path, { fileMustExist: true });
  try {
    if (db.prepare("SELECT 1 FROM erasures WHERE bytes_due <> 0 LIMIT 1").get() === undefined) return;
    writeAnew(db);
    db.exec("UPDATE erasures SET bytes_due = 0");
  } finally {
    db.close();
  }
}

/** The old log and the new one, each open for one look at a time. */
function createLooks(stateDir: string, { log, marker, stagedLog }: Places) {
  /** Where the old log is: set aside, or in its place still. */
  const oldPath = () => {
    const aside = readMarker(marker)?.aside ?? "";
    const moved = aside === "" ? "" : join(stateDir, aside, basename(log));
    return moved !== "" && existsSync(moved) ? moved : log;
  };
  return {
    oldPath,
    withOld: <Result>(none: Result, work: (old: Db) => Result): Result => {
      const { db } = openOldLog(oldPath());
      return db ? closing(db, work) : none;
    },
    withStaged: <Result>(work: (staged: Db) => Result): Result =>
      closing(new Database(stagedLog, { fileMustExist: true }), work),
  };
}

function closing<Result>(db: Db, work: (db: Db) => Result): Result {
  try {
    return work(db);
  } finally {
    db.close();
  }
}

function* missingIn(oldPath: string, knownPath: string): Generator<OldEvents> {
  const { db } = openOldLog(oldPath);
  if (!db) return;
  const beside = new Database(knownPath, { readonly: true });
  const look = beside.prepare(
    "SELECT 1 FROM events WHERE event_id = @event_id AND source = @source AND body_hash = @body_hash",
  );
  try {
    yield* missingEvents(
      db,
      ({ event_id, source, body_hash }) => look.get({ event_id, source, body_hash }) !== undefined,
    );
  } finally {
    db.close();
    beside.close();
  }
}

function begin(path: string, backup: string, now: number): void {
  makePrivateDir(dirname(path));
  const before = readMarker(path);
  if (before && isRunning(before.by) && before.by.pid !== thisProcess().pid)
    throw unavailable(
      `another restore is under way (process ${before.by.pid})`,
      "Wait for it, or end it and run this again.",
    );
  const marker: Marker = {
    by: thisProcess(),
    backup,
    // What was set aside by one that was cut off is the old log still.
    aside: before?.aside || unusedName(dirname(path), now),
  };
  const next = `${path}.${marker.by.pid}`;
  writeFileSync(next, JSON.stringify(marker), { mode: 0o600, flush: true });
  if (before) renameSync(next, path);
  else linkOrMove(next, path);
  toDisk(dirname(path));
}

function unusedName(stateDir: string, now: number): string {
  const time = new Date(now).toISOString().replaceAll(/\D/g, "").slice(0, 14);
  const name = `log.db.before-restore-${time}`;
  let unused = name;
  for (let n = 2; existsSync(join(stateDir, unused)); n += 1) unused = `${name}-${n}`;
  return unused;
}

/** The log first: from then on the others are nobody's, and nobody opens a new one beside them. */
function setAside(stateDir: string, log: string, marker: Marker | null): string | null {
  if (!marker) throw new Error("nothing is set aside before it was begun");
  const aside = join(stateDir, marker.aside);
  for (const part of PARTS) {
    if (!statOf(log + part)) continue;
    const directory = freeFor(aside, basename(log) + part);
    if (!existsSync(directory)) mkdirSync(directory, { mode: 0o700 });
    renameSync(log + part, join(directory, basename(log) + part));
  }
  if (!existsSync(aside)) return null;
  toDisk(aside);
  toDisk(stateDir);
  return aside;
}

/** A restore that was cut off at its very end left the new log in the old one's place: that writes over nothing either. */
function freeFor(aside: string, name: string): string {
  let directory = aside;
  for (let n = 2; existsSync(join(directory, name)); n += 1) directory = `${aside}-${n}`;
  return directory;
}

/** One link: it is the whole new log, or none. Nothing that came there meanwhile is written over. */
function finish(stateDir: string, { log, marker, staged, stagedLog }: Places): void {
  // Whoever closes a log last writes all of its -wal into it: what is left there would be lost.
  if (statOf(`${stagedLog}-wal`)?.size)
    throw unavailable(`${stagedLog} could not be written to its end`, "Check the disk.");
  toDisk(stagedLog);
  linkOrMove(stagedLog, log);
  toDisk(stateDir);
  rmSync(marker);
  toDisk(stateDir);
  rmSync(staged, { recursive: true, force: true });
}

/** Some file systems have no links. */
function linkOrMove(from: string, to: string): void {
  try {
    linkSync(from, to);
    unlinkSync(from);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code === "EEXIST")
      throw unavailable(
        `something came to ${to} meanwhile`,
        `Move it away, then run it again: ${restoreCommand()}`,
      );
    renameSync(from, to);
  }
}
