import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { backupName, SUM } from "../../core/backup.ts";
import { type Clock, isoTime } from "../../shared/clock.ts";
import { AppError } from "../../shared/errors.ts";
import { makePrivateDir } from "../../shared/private-dir.ts";
import { isRunning, thisProcess } from "../../shared/process-identity.ts";
import { toDisk } from "../../shared/to-disk.ts";
import type { BackupFiles, CheckedLog, Store } from "../../store/contract/store.ts";

/**
 * A backup is one file, and its SHA-256 beside it: written under another name, looked through, on disk, and only then what
 * it is called. Nothing that stands there is replaced, and whatever goes wrong leaves nothing.
 */
export interface TakeContext {
  store: Pick<Store, "copyTo">;
  backupFiles(): Promise<BackupFiles>;
  clock: Pick<Clock, "now">;
  /** Who is to stop waits for no copy of a large log. */
  signal: AbortSignal;
}

export interface TakenBackup extends CheckedLog {
  file: string;
  takenAt: number;
}

/** While it is written it is called so, with the process that writes it behind. */
const PARTIAL = ".partial";
/** Of another machine on a shared file system nobody can tell whether it still writes. */
const ABANDONED_AFTER_MS = 24 * 3_600_000;
/** Between the sum and the backup's name lies a moment. */
const NAMELESS_FOR_MS = 60_000;

/** Into a directory, which is made where it is missing, under the name of this moment. */
export async function takeInto(context: TakeContext, directory: string): Promise<TakenBackup> {
  const takenAt = context.clock.now();
  inDirectory(directory, () => {
    makePrivateDir(directory);
    clearAway(directory);
  });
  const isTaken = (name: string) =>
    existsSync(join(directory, name)) || existsSync(join(directory, name + SUM));
  let n = 1;
  while (isTaken(backupName(takenAt, n))) n += 1;
  return await take(context, { file: join(directory, backupName(takenAt, n)), takenAt });
}

/** Under a name of the operator's choice. Throws `USAGE` where something stands there. */
export async function takeAs(context: TakeContext, file: string): Promise<TakenBackup> {
  for (const path of [file, file + SUM]) if (existsSync(path)) throw nameTaken(path);
  if (!existsSync(dirname(file)))
    throw new AppError("USAGE", `there is no directory ${dirname(file)}`, { hint: "Make it first." });
  return await take(context, { file, takenAt: context.clock.now() });
}

async function take(
  { store, backupFiles, signal }: TakeContext,
  { file, takenAt }: { file: string; takenAt: number },
): Promise<TakenBackup> {
  const { pid, bootId } = thisProcess();
  const partial = `${file}${PARTIAL}-${pid}-${bootId.slice(0, 8)}`;
  inDirectory(dirname(file), () => closeSync(openSync(partial, "wx", 0o600)));
  try {
    await orAborted(store.copyTo(partial), signal);
    const checked = await orAborted((await backupFiles()).finish(partial), signal);
    inDirectory(dirname(file), () => giveName(partial, file, sumText(file, takenAt, checked)));
    return { ...checked, file, takenAt };
  } catch (error) {
    // Whatever fails once all is to stop fails for that.
    signal.throwIfAborted();
    throw error;
  } finally {
    for (const left of [partial, `${partial}-journal`]) rmSync(left, { force: true });
  }
}

/** Throws the signal's reason as soon as it aborts. */
export async function orAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  // What nobody waits for any more fails unheard.
  work.catch(() => {});
  signal.throwIfAborted();
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Whoever makes the file with the sum has the name. */
function giveName(partial: string, file: string, text: string): void {
  try {
    writeFileSync(file + SUM, text, { flag: "wx", mode: 0o600, flush: true });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") throw nameTaken(file);
    throw error;
  }
  try {
    if (existsSync(file)) throw nameTaken(file);
    renameSync(partial, file);
  } catch (error) {
    rmSync(file + SUM, { force: true });
    throw error;
  }
  toDisk(dirname(file));
}

function nameTaken(path: string): AppError {
  return new AppError("USAGE", `${path} exists already`, {
    hint: "Choose another name: no backup is written over what is there.",
  });
}

/** As `sha256sum --check` reads it; lines with a # it leaves alone. */
function sumText(
  file: string,
  takenAt: number,
  { logId, version, bytes, sha256, counts }: CheckedLog,
): string {
  const facts = JSON.stringify({ takenAt: isoTime(takenAt), log: logId, version, bytes, counts });
  return `# ${facts}\n${sha256}  ${basename(file)}\n`;
}

/** What was begun by processes that are gone, and sums whose backup never got its name or was removed. */
function clearAway(directory: string): void {
  const names = readdirSync(directory);
  for (const name of names.filter((each) => each.startsWith("log-"))) {
    const [, ofBackup = "", pid, boot] = /^(.*\.backup)\.partial-(\d+)-(\w*)(?:-journal)?$/.exec(name) ?? [];
    const path = join(directory, name);
    const isLoneSum = name.endsWith(`.backup${SUM}`) && !names.includes(name.slice(0, -SUM.length));
    const isLeft =
      ofBackup === ""
        ? isLoneSum && ageOf(path) > NAMELESS_FOR_MS
        : isAbandoned(path, { pid: Number(pid), boot: boot ?? "" });
    if (isLeft) rmSync(path, { force: true });
  }
}

function isAbandoned(path: string, { pid, boot }: { pid: number; boot: string }): boolean {
  const self = thisProcess();
  if (boot !== self.bootId.slice(0, 8)) return ageOf(path) > ABANDONED_AFTER_MS;
  return pid !== self.pid && !isRunning({ pid, startedAt: "", bootId: self.bootId });
}

/** By the file system's own clock; none where another process has just removed it. */
function ageOf(path: string): number {
  const info = statSync(path, { throwIfNoEntry: false });
  return info ? Math.abs(Date.now() - info.mtimeMs) : 0;
}

/** What the file system says of the directory, in words. */
export function inDirectory<Result>(directory: string, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof Error && "syscall" in cause && "code" in cause)) throw cause;
    const why = REASONS[String(cause.code)] ?? String(cause.code);
    throw new AppError("CONFIG_INVALID", `no backup can be written into ${directory}: ${why}`, {
      hint: "Check backup.dir, and who may write there. A hardened service may write its state directory only, unless its unit says ReadWritePaths=.",
      cause,
    });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "this user may not write there",
  EPERM: "this user may not write there",
  EROFS: "its file system cannot be written",
  ENOSPC: "its disk is full",
  EDQUOT: "the quota is used up",
  ENOTDIR: "it is no directory",
  EEXIST: "something of that name is there",
  ENOENT: "it is not there",
};
