import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** Why the file that a setting names cannot be read, and what to do; null where it can. */
export function problemOfFile(setting: string, path: string): { message: string; hint: string } | null {
  const hint = `Check ${setting}, and who may read the file.`;
  if (!existsSync(path)) return { message: `${setting}: there is no file ${path}`, hint };
  if (!statSync(path).isFile()) return { message: `${setting}: ${path} is no file`, hint };
  return mayRead(path) ? null : { message: `${setting}: ${path} cannot be read`, hint };
}

function mayRead(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** What on the way to a file, or the file itself, is closed to this user; null where nothing is. */
export function deniedAt(path: string): string | null {
  const above = dirname(path);
  const closed = above === path ? null : deniedAbove(above);
  return closed ?? (isDenied(path, constants.R_OK | constants.W_OK) ? path : null);
}

function deniedAbove(directory: string): string | null {
  const above = dirname(directory);
  return (
    (above === directory ? null : deniedAbove(above)) ??
    (isDenied(directory, constants.X_OK) ? directory : null)
  );
}

function isDenied(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return false;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EACCES";
  }
}
