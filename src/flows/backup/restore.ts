import { join } from "node:path";
import { copiedNotRestored } from "../../core/advice/copied-log.ts";
import { STOP_SERVICE } from "../../core/advice/served-log.ts";
import { restoreCommand } from "../../core/advice/command-lines.ts";
import type { NewEvent } from "../../core/event.ts";
import type { Clock } from "../../shared/clock.ts";
import { copiedMark } from "../../shared/copied-log.ts";
import { AppError, isAppError } from "../../shared/errors.ts";
import type {
  BackupFiles,
  CheckedLog,
  OldConnection,
  OldEvent,
  OldLogStanding,
  Restoring,
  Store,
} from "../../store/contract/store.ts";
import { EventRefused, type Source } from "../../vendors/contract/source.ts";
import { eraseAgain, erasedAmong, type ErasedAgain, type KnownErasures } from "../erasure/again.ts";
import { serveFaults } from "../watch/serve-faults.ts";
import { verifyBackup } from "./list.ts";

/**
 * Back to a backup, without losing what came after it where the old log can still be read. The plan is read off both
 * files and changes nothing; the steps are done in their order, and after a crash from the first one again.
 */
export interface RestoreContext {
  stateDir: string;
  clock: Pick<Clock, "now">;
  restoring(): Promise<Restoring>;
  backupFiles(): Promise<BackupFiles>;
  sources(): Promise<readonly Source[]>;
  /** What the vault knows of erasures. Throws `VAULT_UNAVAILABLE`. */
  knownErasures(): Promise<KnownErasures>;
  /** The store of another state directory. */
  storeIn(stateDir: string): Promise<Store>;
}

export interface RestorePlan {
  backup: string;
  checked: CheckedLog & { isCompared: boolean };
  old: OldLogStanding;
  /** Of the old log, which the backup lacks. */
  missing: { events: number } & Unreadable;
  /** Invites of the backup that retention had removed from the old log. */
  staysRemoved: number;
  /** Attempts of the old log that the backup lacks, which are not taken over; null where nobody can tell. */
  attemptsLeft: number | null;
}

/** Events of the old log that could not be read. */
export interface Unreadable {
  unreadable: number;
  /** False where these are only the least there were. */
  isUnreadableKnown: boolean;
}

export interface TakenOver extends Unreadable {
  /** Events that came back. */
  events: number;
  /** Events whose source takes them no more, or is no more. */
  refused: number;
  /** Rows that forbid to bring back, and others, by table. */
  rows: Readonly<Record<string, number>>;
  unreadableTables: readonly string[];
  connections: number;
  /** People who were erased since the backup, and events of theirs that did not come back; `unknown`: whose hashes tell nothing any more. */
  erased: { people: number; events: number; unknown: number };
}

export interface RestoreReport extends TakenOver {
  aside: string | null;
  /** Open pushes, all of which are due now. */
  due: number;
  /** Does the vault know who was erased, whatever the old log tells? */
  isErasureKnown: boolean;
}

export type RestoreStep =
  | "begun"
  | "staged"
  | "set aside"
  | "rules taken"
  | "erased again"
  | "taken over"
  | "made due"
  | "in place";

/** Throws `STORE_UNAVAILABLE` for a backup that is not whole, and `CONFIG_INVALID` where the log is in a database by now. */
export async function planRestore(context: RestoreContext, backup: string): Promise<RestorePlan> {
  refuseCopied(context.stateDir, backup);
  const [restoring, files] = [await context.restoring(), await context.backupFiles()];
  const checked = await verifyBackup(files, backup);
  const missing = { events: 0, unreadable: 0, isUnreadableKnown: true };
  for (const page of restoring.missingEvents("in the backup", backup)) {
    missing.events += page.events.length;
    missing.unreadable = page.unreadable;
    missing.isUnreadableKnown = page.isCounted;
  }
  return {
    backup,
    checked,
    old: restoring.old(),
    missing,
    staysRemoved: restoring.staysRemoved(backup),
    attemptsLeft: restoring.attemptsLeft(backup),
  };
}

/**
 * Who was erased since and is in the backup, counted without a change: they stay erased. Null where nobody can tell now: the
 * vault cannot be read, without which nothing is restored, or the backup is too old to be asked.
 */
export async function erasedSince(
  context: RestoreContext,
  backup: string,
): Promise<Pick<ErasedAgain, "people" | "unknown"> | null> {
  const restoring = await context.restoring();
  try {
    const known = await erasuresFor(context, restoring, backup);
    const people = restoring.peopleIn(backup);
    return people === null ? null : erasedAmong(known, restoring.erasures(), people);
  } catch (error) {
    if (!isAppError(error, "VAULT_UNAVAILABLE")) throw error;
    return null;
  }
}

function refuseCopied(stateDir: string, backup: string): void {
  const mark = copiedMark(stateDir);
  if (mark) throw copiedNotRestored(join(stateDir, "log.db"), mark, backup);
}

/** Whoever writes the old log would write what nobody reads. */
export function refuseHeld(restoring: Restoring, stateDir: string): void {
  const holders = restoring.holders();
  const isServed = serveFaults(stateDir).length > 0;
  if (holders.length === 0 && !isServed) return;
  const who = holders.length > 0 ? `process ${holders.join(", ")}` : "serve";
  throw new AppError("STORE_UNAVAILABLE", `the log is in use by ${who}: a backup cannot take its place`, {
    hint: `End the process, or stop the service, then run it again. Under systemd it is stopped by: ${STOP_SERVICE}`,
  });
}

/** Does all of it, telling each step when it is done. */
export async function* restoreLog(
  context: RestoreContext,
  backup: string,
): AsyncGenerator<RestoreStep, RestoreReport> {
  const restoring = await context.restoring();
  refuseHeld(restoring, context.stateDir);
  // Before anything is moved: without it whoever was erased would come back.
  const erasures = await erasuresFor(context, restoring, backup);
  restoring.begin(backup);
  try {
    // Whoever opened it a moment before is there now, and nobody comes after.
    refuseHeld(restoring, context.stateDir);
    refuseCopied(context.stateDir, backup);
    yield "begun";
    restoring.stage(backup);
  } catch (error) {
    if (restoring.old().aside === null) restoring.cancel();
    throw error;
  }
  yield "staged";
  const aside = restoring.setAside();
  try {
    return yield* fillAndPlace(context, restoring, { backup, aside, erasures });
  } catch (error) {
    if (!isAppError(error)) throw error;
    const { code, message, hint = "" } = error;
    const again = `The old log is kept in ${aside ?? "its place"}. Run it again: ${restoreCommand(backup)}`;
    throw new AppError(code, message, { hint: `${hint} ${again}`.trim(), cause: error });
  }
}

async function* fillAndPlace(
  context: RestoreContext,
  restoring: Restoring,
  { backup, aside, erasures }: { backup: string; aside: string | null; erasures: KnownErasures },
): AsyncGenerator<RestoreStep, RestoreReport> {
  yield "set aside";
  const { rows, unreadable: unreadableTables } = restoring.takeRules();
  yield "rules taken";
  const again = await inStaged(context, restoring, (store) => eraseAgain(store, erasures));
  yield "erased again";
  const taken = await takeOver(context, restoring, { backup, again });
  restoring.settleAsBefore({ isSame: isWhole(restoring, taken) });
  yield "taken over";
  const due = restoring.makeDue(context.clock.now());
  yield "made due";
  restoring.vacuum();
  restoring.finish();
  yield "in place";
  return { ...taken, rows, unreadableTables, aside, due, isErasureKnown: erasures.marker !== null };
}

/** Only then is what the old log had delivered what the new one holds. */
function isWhole(
  restoring: Restoring,
  { refused, unreadable }: Pick<TakenOver, "refused" | "unreadable">,
): boolean {
  return restoring.old().condition === "whole" && refused + unreadable === 0;
}

/** Connections first, so that events raise what is owed to them. */
async function takeOver(
  context: RestoreContext,
  restoring: Restoring,
  { backup, again }: { backup: string; again: ErasedAgain },
): Promise<Omit<TakenOver, "rows" | "unreadableTables">> {
  return await inStaged(context, restoring, async (store) => {
    const connections = await takeConnections(store, restoring.oldConnections(), context.clock.now());
    const sources = await context.sources();
    const taken = { events: 0, refused: 0, unreadable: 0, isUnreadableKnown: true };
    const erased = { people: again.people, events: 0, unknown: again.unknown };
    for (const { events, unreadable, isCounted } of restoring.missingEvents("in the new log", backup)) {
      const read = events.flatMap((event) => readAgain(sources, event)).map(again.marked);
      const results = await store.append(read);
      const refused = results.filter(({ outcome }) => outcome === "erased").length;
      const stored = results.filter(({ outcome }) => outcome !== "failed").length - refused;
      taken.events += stored;
      erased.events += refused;
      taken.refused += events.length - stored - refused;
      taken.unreadable = unreadable;
      taken.isUnreadableKnown = isCounted;
    }
    for (const { connection, subjects } of restoring.owed()) {
      const known = await store.connection(connection);
      // What no event brings again, as a backfill's.
      const theirs = subjects.filter((subject) => !again.isErased(connection.org, subject));
      if (known) await store.raise(known.id, { subjects: theirs }, context.clock.now());
    }
    return { ...taken, connections, erased };
  });
}

async function inStaged<Result>(
  context: RestoreContext,
  restoring: Restoring,
  work: (store: Store) => Promise<Result>,
): Promise<Result> {
  const store = await context.storeIn(restoring.stagedDir());
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** A vault that cannot be read is in nobody's way where nobody was erased. */
async function erasuresFor(
  context: RestoreContext,
  restoring: Restoring,
  backup: string,
): Promise<KnownErasures> {
  try {
    return await context.knownErasures();
  } catch (error) {
    if (!isAppError(error, "VAULT_UNAVAILABLE") || restoring.mayHaveErased(backup)) throw error;
    return { kept: [], marker: null };
  }
}

/** As it was taken in the first time: by the same source, at the same moment. None where that is not possible any more. */
function readAgain(sources: readonly Source[], event: OldEvent): NewEvent[] {
  const source = sources.find(({ id }) => id === event.source);
  if (!source) return [];
  const { eventId, org, environment, receivedAt, bodyHash } = event;
  try {
    const parsed = source.parse(Buffer.from(event.payload), { eventId, org, environment, receivedAt });
    return [{ ...parsed, bodyHash }];
  } catch (error) {
    if (error instanceof EventRefused) return [];
    throw error;
  }
}

/** Those that the old log knew better: connected, disconnected or refused since. */
async function takeConnections(store: Store, old: readonly OldConnection[], now: number): Promise<number> {
  // An account that moved from one org to another is free before it is taken.
  const inOrder = old.toSorted(
    (a, b) => Number(a.connection.state !== "not_connected") - Number(b.connection.state !== "not_connected"),
  );
  let n = 0;
  for (const { key, connection, holdCause } of inOrder) {
    const {
      id: _id,
      marks: _marks,
      org: _org,
      vendor: _vendor,
      environment: _env,
      subject: _subject,
      ...fields
    } = connection;
    const before = await store.connection(key);
    const saved = await store.saveConnection(key, fields);
    if (holdCause !== null) await store.hold(saved.id, { cause: holdCause });
    else await store.release(saved.id, { held: ["reconnect", "vault", "disconnected", "confirm"] }, now);
    if (before?.state !== saved.state || before.connectedAt !== saved.connectedAt) n += 1;
  }
  return n;
}
