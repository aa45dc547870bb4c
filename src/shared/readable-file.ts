import { accessSync, constants, existsSync, statSync } from "node:fs";

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
