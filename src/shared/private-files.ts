/** What the program keeps is its user's alone: no link leads elsewhere, nobody else owns it or may read it. */
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  type Stats,
  statSync,
} from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import * as self from "node:process";

const OTHERS = 0o077;
const OTHERS_WRITE = 0o022;
const BESIDE_DATABASE = ["", "-wal", "-shm", "-journal"] as const;
/** All that a state directory holds; another name in it, and the directory may serve others, too. */
const OURS = /^(log\.db|backups$|vault\.db|vault-locks$|vault-notes$|vault-key|serve-|secret-warnings)/;
/** Windows has neither; there a path is opened as it is. */
export const NO_FOLLOW: number = constants.O_NOFOLLOW ?? 0;

export interface Misplaced {
  message: string;
  hint: string;
}

/**
 * Of a database and of what SQLite keeps beside it, before SQLite opens them: it follows links. Null where all is well.
 * Only looked at: a descriptor on such a file that is closed takes all locks that the process has on it.
 */
export function misplacedDatabase(path: string): Misplaced | null {
  const directory = infoOf(dirname(path), statSync);
  for (const beside of BESIDE_DATABASE) {
    const found = infoOf(`${path}${beside}`, lstatSync);
    const misplaced = found && misplacedFile(`${path}${beside}`, found, directory);
    if (misplaced) return misplaced;
  }
  const isNew = infoOf(path, lstatSync) === null;
  return isNew && directory ? openDirectory(dirname(path), directory) : null;
}

function misplacedFile(path: string, found: Stats, directory: Stats | null): Misplaced | null {
  if (found.isSymbolicLink())
    return { message: `${path} is a link`, hint: `Find out who made it, then move it away: ls -l '${path}'` };
  if (!found.isFile()) return { message: `${path} is not a file`, hint: "Move what stands there away." };
  const user = ownUser();
  // Root may look into the directory of a service that has a user of its own.
  const isTrusted = user === null || isOwnOrRoots(found) || (user === 0 && found.uid === directory?.uid);
  if (isTrusted) return null;
  return {
    message: `${path} belongs to another user (${found.uid})`,
    hint: `Find out who put it there, then: sudo chown ${user} '${path}'`,
  };
}

/** A new installation does not begin where others write; one that is there goes on, and `status` says so. */
function openDirectory(path: string, found: Stats): Misplaced | null {
  if (ownUser() === null || (isOwnOrRoots(found) && (found.mode & OTHERS_WRITE) === 0)) return null;
  return {
    message: `${path} can be changed by other users`,
    hint: "Choose another --state-dir, of this user's alone (mode 0700).",
  };
}

/** Closes to others what is this user's own in a state directory, and the directory itself where it holds nothing else. */
export function closeToOthers(stateDir: string): void {
  const directory = infoOf(stateDir, statSync);
  if (!directory || ownUser() === null) return;
  const names = namesIn(stateDir);
  if (isOwnAndOpen(directory) && names.length > 0 && names.every((name) => OURS.test(name)))
    mend(stateDir, 0o700);
  // Where others write, a name may become a link between this look and the change.
  if (((infoOf(stateDir, statSync)?.mode ?? OTHERS_WRITE) & OTHERS_WRITE) !== 0) return;
  for (const path of names.filter((name) => OURS.test(name)).map((name) => join(stateDir, name))) {
    const found = infoOf(path, lstatSync);
    if (found && isOwnAndOpen(found)) {
      if (found.isFile()) mend(path, 0o600);
      else if (found.isDirectory()) mend(path, 0o700);
    }
  }
}

/** In words, with what to type: what others can still read or change. Reads only. */
export function openToOthers(stateDir: string): string[] {
  const directory = infoOf(stateDir, statSync);
  if (!directory?.isDirectory() || ownUser() === null) return [];
  const names = namesIn(stateDir);
  const paths = names.filter((name) => OURS.test(name)).map((name) => join(stateDir, name));
  return [stateDir, ...paths].flatMap((path) => {
    const found = infoOf(path, path === stateDir ? statSync : lstatSync);
    if (!found || found.isSymbolicLink()) return [];
    const isForeign = !isOwnOrRoots(found) && !(ownUser() === 0 && found.uid === directory.uid);
    if (!isForeign && (found.mode & OTHERS) === 0) return [];
    const how = isForeign
      ? `belongs to another user (${found.uid})`
      : `is open to other users (${modeOf(found)})`;
    const isShared = path === stateDir && names.length > paths.length;
    const fix = isShared ? "give jc-integrations a directory of its own" : fixFor(path, found);
    return [`${path} ${how}: ${fix}`];
  });
}

/** Makes an empty private file unless one is there. One that is there is not opened, so that no lock on it is lost. */
export function createOnce(path: string): void {
  if (infoOf(path, lstatSync)) return;
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}

/** Of a file that this program wrote. Throws for a link, and for what another user put there. */
export function readOwnFile(path: string): string {
  const file = openSync(path, constants.O_RDONLY | NO_FOLLOW);
  try {
    insistOnOwn(file, path);
    return readFileSync(file, "utf8");
  } finally {
    closeSync(file);
  }
}

/** Throws unless it is a file of this user's, or of root's. */
export function insistOnOwn(file: number, path: string): void {
  const found = fstatSync(file);
  if (!found.isFile() || (ownUser() !== null && ownUser() !== 0 && !isOwnOrRoots(found)))
    throw new Error(`${basename(path)} is not this user's`);
}

function isOwnOrRoots({ uid }: Pick<Stats, "uid">): boolean {
  return uid === 0 || uid === ownUser();
}

/** Of a file whose owner is somebody else's affair, with its link followed; false where there is none. */
export function isOpenToOthers(path: string): boolean {
  const found = ownUser() === null ? null : infoOf(path, statSync);
  return found?.isFile() === true && (found.mode & OTHERS) !== 0;
}

export function isInside(directory: string, path: string): boolean {
  const way = relative(directory, path);
  return way !== "" && !way.startsWith("..");
}

/** Null on Windows, where files have no such owner and no such mode. */
export function ownUser(): number | null {
  return self.geteuid?.() ?? null;
}

function isOwnAndOpen(found: Stats): boolean {
  return found.uid === ownUser() && (found.mode & OTHERS) !== 0;
}

/** On a file system that takes no change it stays as it is, and is told by `openToOthers`. */
function mend(path: string, mode: number): void {
  try {
    chmodSync(path, mode);
  } catch {}
}

function fixFor(path: string, found: Stats): string {
  const chmod = `chmod ${found.isDirectory() ? "700" : "600"} '${path}'`;
  return isOwnOrRoots(found) ? chmod : `sudo chown ${ownUser()} '${path}' && ${chmod}`;
}

function modeOf({ mode }: Stats): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function infoOf(path: string, look: (path: string, options: { throwIfNoEntry: false }) => Stats | undefined) {
  try {
    return look(path, { throwIfNoEntry: false }) ?? null;
  } catch {
    return null;
  }
}
