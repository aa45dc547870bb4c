/** Who, beside root, could change what root lets the service run. Reads modes and owners only. */
import { type Dirent, existsSync, lstatSync, readdirSync, readlinkSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

export interface Writable {
  path: string;
  /** What is wrong with it, in words. */
  how: string;
  /** What to type as root. */
  fix: string;
}

const OTHERS_WRITE = 0o022;

/** Of a path, what is above it, and where links in it lead; outermost first. Null where only root can change it. */
export function writableOnTheWay(path: string): Writable | null {
  const parent = dirname(path);
  const above = parent === path ? null : writableOnTheWay(parent);
  return above ?? writableAt(path) ?? behindLink(path);
}

function behindLink(path: string): Writable | null {
  if (!lstatSync(path).isSymbolicLink()) return null;
  return writableOnTheWay(resolve(dirname(path), readlinkSync(path)));
}

/** Of all that lies in a directory; links in it are followed once, to where they lead. */
export function writableWithin(directory: string): Writable | null {
  for (const entry of entriesOf(directory)) {
    const path = join(directory, entry.name);
    const found =
      writableAt(path) ??
      (entry.isDirectory() ? writableWithin(path) : entry.isSymbolicLink() ? linked(path) : null);
    if (found) return found;
  }
  return null;
}

/** None of a directory that is closed to who only looks at the plan: root, who applies it, sees into it. */
function entriesOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EACCES") return [];
    throw error;
  }
}

/** A link that leads nowhere, as some packages ship them, is no program. */
function linked(path: string): Writable | null {
  return existsSync(path) ? behindLink(path) : null;
}

/**
 * Where the program's packages lie: its own `node_modules`, and those beside it where npm put it among others. Node
 * looks for a package in each of them.
 */
export function packageDirectories(root: string): string[] {
  const beside = dirname(root);
  return [join(root, "node_modules"), ...(basename(beside) === "node_modules" ? [beside] : [])].filter(
    (path) => existsSync(path),
  );
}

function writableAt(path: string): Writable | null {
  const info = lstatSync(path);
  if (info.uid !== 0) return { path, how: `belongs to the user ${info.uid}`, fix: `chown -h root '${path}'` };
  if (info.isSymbolicLink() || (info.mode & OTHERS_WRITE) === 0) return null;
  const mode = (info.mode & 0o7777).toString(8).padStart(4, "0");
  return { path, how: `has mode ${mode}`, fix: `chmod go-w '${path}'` };
}
