import { join } from "node:path";
import { isAppError } from "../../shared/errors.ts";
import type { StoreFault } from "../contract/faults.ts";
import { isIntact, isWhole, refuseStranger, setWalAside, stampOf } from "./file/candidate.ts";
import type { Damage } from "./file/damage.ts";
import { searchDamage } from "./file/damage-search.ts";
import type { Db } from "./file/db.ts";
import { createFaultBoard, type FaultBoard } from "./file/fault-board.ts";
import { statOf } from "./file/file-at.ts";
import { type Identity, identityOf } from "./file/identity.ts";
import type { FileToken } from "./file/log-row.ts";
import { type Loss, lossError } from "./file/loss.ts";
import { type Notices, noticesOf } from "./file/notices.ts";
import { openLog } from "./file/open.ts";
import { isDamage, restoreCommands, storeErrors, unavailable } from "./file/store-errors.ts";
import { guardTransactions } from "./file/transaction.ts";
import { emptyWal, heldUpWal } from "./file/wal.ts";

/**
 * The log of a process that lives long, through whatever becomes of its file: as soon as that is no longer the log,
 * nothing is read or written any more, and when the log is back, or another was accepted, all goes on.
 */
export interface LiveLog<Parts> {
  /** Throws `STORE_UNAVAILABLE` while there is no log to work on. */
  parts(): Parts;
  /** The same for what takes in events, which also stops where their tables are damaged. */
  intake(): Parts;
  /** What a verb met. */
  hear(error: unknown): void;
  close(): void;
}

export interface LiveLogOptions<Parts> {
  stateDir: string;
  isExpected: boolean;
  /** Does it wait for a log that cannot be opened at first? */
  staysUp: boolean;
  /** What works on an open log. `finish` answers all that still waits. */
  attach(db: Db, notices: Notices): Parts & { finish(): void };
  onFaults(faults: readonly StoreFault[]): void;
}

const LOOK_EVERY_MS = 1_000;
/** While the log is whole and the system tells of whatever is done to its files. */
const LOOK_CALM_EVERY_MS = 20_000;
/** Of two commits in a row the second need not look before it begins. */
const LOOKED_JUST_NOW_MS = 2;
/** What an event is written into. Damage elsewhere refuses none. */
const INTAKE_TABLES: ReadonlySet<string> = new Set([
  "events",
  "invites",
  "invite_counts",
  "pushes",
  "push_counts",
  "counters",
  "connections",
  "confirmations",
]);

interface Opened<Parts> {
  db: Db;
  identity: Identity;
  parts: Parts & { finish(): void };
  search: { stop(): void };
  notices: Notices;
}

interface Live<Parts> {
  options: LiveLogOptions<Parts>;
  path: string;
  faults: FaultBoard;
  opened: Opened<Parts> | null;
  /** Of the log that was open last. */
  previous: { token: FileToken | null; openedAt: number } | null;
  /** What stood in the log's place at the last look. */
  candidate: string;
  /** Is what stands there to be looked through before it is taken? */
  isSuspect: boolean;
  /** What was found to be damaged, to be looked through again only when it has changed. */
  refused: string;
  lookedAt: number;
  /** The next look, and whether it is one of the rare ones. */
  timer: NodeJS.Timeout | undefined;
  isCalm: boolean;
}

/** Throws what no waiting can mend, as a log that a newer program wrote. */
export function openLiveLog<Parts>(options: LiveLogOptions<Parts>): LiveLog<Parts> {
  const live: Live<Parts> = {
    options,
    path: join(options.stateDir, "log.db"),
    faults: createFaultBoard(options.onFaults),
    opened: null,
    previous: null,
    candidate: "",
    isSuspect: false,
    refused: "",
    lookedAt: 0,
    timer: undefined,
    isCalm: false,
  };
  tryOpen(live);
  planLook(live, false);
  const parts = (): Parts => {
    if (live.opened) return live.opened.parts;
    throw unavailable(`${live.path} is not open`, "It is tried again each second.");
  };
  return {
    parts: () => {
      live.faults.insistOnNone(["lost", "unusable"]);
      return parts();
    },
    intake: () => {
      live.faults.insistOnNone(["lost", "unusable", "damaged"]);
      return parts();
    },
    hear: (error) => hear(live, error),
    close: () => {
      clearTimeout(live.timer);
      const { opened } = live;
      const loss = opened?.identity.look("nothing") ?? null;
      if (loss) lose(live, loss);
      if (opened && loss?.kind === "half") mend(live, opened, loss);
      leave(live, loss ? "abandon" : "close");
    },
  };
}

function tryOpen<Parts>(live: Live<Parts>): void {
  const { path, faults, options } = live;
  try {
    storeErrors(path, () => {
      if (live.previous) refuseStranger(path, live.previous);
      if (live.isSuspect) insistOnWhole(live);
      open(live);
    });
  } catch (error) {
    const isFirst = live.previous === null && faults.isEmpty();
    const isWaitedFor = options.staysUp && isAppError(error, "STORE_UNAVAILABLE");
    if (!isAppError(error) || (isFirst && !isWaitedFor)) throw error;
    const kind = faults.has("lost") ? "lost" : "unusable";
    faults.set(kind, { refuses: true, message: error.message, hint: error.hint ?? "" });
  }
}

function open<Parts>(live: Live<Parts>): void {
  const { path, faults, options } = live;
  const isExpected = options.isExpected || live.previous !== null;
  const db = openLog(options.stateDir, { now: Date.now(), isExpected });
  const identity = identityOf(db, path);
  guardTransactions(db, (since) => {
    faults.insistOnNone(["lost"]);
    if (since === "nothing" && performance.now() - live.lookedAt < LOOKED_JUST_NOW_MS) return;
    const loss = identity.look(since);
    live.lookedAt = performance.now();
    if (!loss) return;
    lose(live, loss);
    throw lossError(path, loss);
  });
  for (const kind of ["lost", "unusable", "damaged"] as const) faults.set(kind, null);
  const search = searchDamage(path, {
    isPaused: () => faults.has("lost"),
    onFound: (damage) => noteDamage(live, damage),
  });
  const notices = noticesOf(path);
  notices.listen(() => {
    if (live.isCalm) planLook(live, false);
  });
  live.opened = { db, identity, parts: options.attach(db, notices), search, notices };
  live.previous = { token: identity.token, openedAt: Date.now() };
  live.candidate = "";
  live.isSuspect = false;
}

function insistOnWhole<Parts>(live: Live<Parts>): void {
  const stamp = stampOf(live.path);
  const isTaken = stamp !== live.refused && isWhole(live.path);
  live.refused = isTaken ? "" : stamp;
  if (!isTaken) throw unavailable(`${live.path} is damaged`, restoreCommands(live.path));
}

function lose<Parts>({ path, faults }: Live<Parts>, loss: Loss): void {
  const { message, hint = "" } = lossError(path, loss);
  faults.set("lost", { refuses: true, message, hint });
}

/** Leaves the file that is open, and answers everybody's calls. */
function leave<Parts>(live: Live<Parts>, how: "close" | "abandon"): void {
  const { opened } = live;
  opened?.search.stop();
  opened?.parts.finish();
  opened?.notices.stop();
  live.opened = null;
  opened?.identity[how]();
}

function planLook<Parts>(live: Live<Parts>, isCalm: boolean): void {
  clearTimeout(live.timer);
  live.isCalm = isCalm;
  live.timer = setTimeout(look, isCalm ? LOOK_CALM_EVERY_MS : LOOK_EVERY_MS, live);
}

/** Once a second, or as soon as something was done to its files. What it meets the next verb meets as well. */
function look<Parts>(live: Live<Parts>): void {
  const { path, opened, faults } = live;
  let isLarge = false;
  try {
    if (opened) isLarge = storeErrors(path, () => lookAtOpen(live, opened));
    if (!live.opened) tryOpen(live);
  } catch (error) {
    if (!isAppError(error, "STORE_UNAVAILABLE")) throw error;
    hear(live, error);
  }
  planLook(live, live.opened?.notices.isWorking() === true && faults.isEmpty() && !isLarge);
}

/** True where the -wal has grown large, and is to be emptied. */
function lookAtOpen<Parts>(live: Live<Parts>, opened: Opened<Parts>): boolean {
  const { stateDir } = live.options;
  const loss = opened.identity.look("nothing");
  if (loss) {
    lose(live, loss);
    mend(live, opened, loss);
    return false;
  }
  live.faults.set("lost", null);
  const isLarge = emptyWal(opened.db, stateDir);
  if (isLarge) opened.identity.look("checkpointed");
  live.faults.set("held-up", heldUpWal(stateDir));
  return isLarge;
}

/** Does what can be done from here, so that the next try to open finds a log. */
function mend<Parts>(live: Live<Parts>, { db, identity }: Opened<Parts>, { kind }: Loss): void {
  const { path } = live;
  if (kind === "absent" || (kind !== "half" && !isStill(live))) return;
  if (kind === "overwritten") {
    live.isSuspect = !isIntact(path, db, identity.token);
    leave(live, "abandon");
    if (live.isSuspect) setWalAside(path, identity);
    return;
  }
  live.isSuspect = kind === "replaced";
  // Whatever still waits in the old -wal belongs into the log that it was written for, wherever that is now.
  const isWalGone = kind === "half" && !identity.hasOwn("-wal") && !statOf(`${path}-wal`)?.size;
  const isWalStale = kind === "replaced" && identity.hasOwn("-wal");
  if ((isWalGone || isWalStale) && !isEmptied(db)) return;
  leave(live, isWalGone ? "close" : "abandon");
}

/** What stands in the log's place is taken when it has not changed for a second: it may be copied just now. */
function isStill<Parts>(live: Live<Parts>): boolean {
  const before = live.candidate;
  live.candidate = stampOf(live.path);
  return live.candidate !== "" && live.candidate === before;
}

/** True when all that was in the -wal is in the log. */
function isEmptied(db: Db): boolean {
  const busy = db.prepare<[], number>("PRAGMA wal_checkpoint(TRUNCATE)").pluck().get();
  return busy === 0;
}

function hear<Parts>(live: Live<Parts>, error: unknown): void {
  if (isDamage(error) && !live.faults.has("damaged"))
    noteDamage(live, new Error("a page of it cannot be read"));
}

/** What is read out of files that are the log's no more looks like damage, and is mended otherwise. */
function lossBehind<Parts>({ opened }: Live<Parts>): Loss | null {
  if (!opened || opened.db.inTransaction) return null;
  try {
    return opened.identity.look("nothing");
  } catch {
    return null;
  }
}

function noteDamage<Parts>(live: Live<Parts>, damage: Damage | Error): void {
  const { path, faults } = live;
  if (faults.has("lost")) return;
  const loss = lossBehind(live);
  if (loss) {
    lose(live, loss);
    return;
  }
  const known = faults.get("damaged");
  const [where, found, isIntakes] =
    damage instanceof Error
      ? ["", damage.message, true]
      : [`, table ${damage.table}`, damage.found, INTAKE_TABLES.has(damage.table)];
  faults.set("damaged", {
    refuses: known?.refuses === true || isIntakes,
    message: known?.message ?? `${path} is damaged${where}: ${found}`,
    hint: restoreCommands(path),
  });
}
