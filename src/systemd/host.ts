import { realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  closedNode,
  closedProgram,
  noSystemd,
  rootsService,
  silentSystemd,
  writableProgram,
} from "../core/advice/systemd.ts";
import type { Scope } from "../core/service-scope.ts";
import type { Program } from "./places.ts";
import { type Runner, runOrThrow } from "./runner.ts";
import { packageDirectories, writableOnTheWay, writableWithin } from "./writable.ts";

/** systemd tells times in whole seconds. */
const SYSTEMD_TELLS_MS = 1_000;

/** Was it written after that moment? Not known to be where either cannot be told. */
export function changedSince(path: string, at: number): boolean {
  try {
    return statSync(path).mtimeMs > at + SYSTEMD_TELLS_MS;
  } catch {
    return false;
  }
}

/** What systemd knows of a unit, by systemd's names; empty where no systemd answers. */
export async function showUnit({ run }: Runner, scope: Scope, unit: string): Promise<Record<string, string>> {
  const manager = scope === "user" ? ["--user"] : [];
  const { out } = await run("systemctl", [...manager, "show", unit]);
  return Object.fromEntries(
    out.split("\n").map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

export function isActive({ ActiveState }: Record<string, string>): boolean {
  return ActiveState !== undefined && !["inactive", "failed"].includes(ActiveState);
}

/** Throws `USAGE` where nothing can be applied, and says what to type instead; `line`: what was typed. */
export async function refuseUnlessAble(runner: Runner, scope: Scope, line: string): Promise<void> {
  if ((await runner.run("systemctl", ["show-environment"])).code !== 0) throw noSystemd();
  if (scope === "user") {
    const { code, err } = await runner.run("systemctl", ["--user", "show-environment"]);
    if (code === 0) return;
    throw silentSystemd(err.trim());
  }
  if ((await runOrThrow(runner, ["id", "--user"])).trim() === "0") return;
  throw rootsService(line);
}

/** Throws `USAGE` for a program that the service's own user could not start. */
export function refuseClosedProgram({ nodePath, scriptPath }: Program): void {
  const bundle = join(dirname(dirname(scriptPath)), "dist", "build.json");
  const closed = closedPart(scriptPath) ?? closedPart(bundle);
  if (closed !== null) throw closedProgram(closed, dirname(dirname(scriptPath)));
  const ofNode = closedPart(nodePath);
  if (ofNode !== null) throw closedNode(ofNode);
}

/** Throws `USAGE` for a program that anybody but root could change: root would install it, and type it. */
export function refuseWritableProgram({ nodePath, scriptPath }: Program): void {
  const real = realpathSync(scriptPath);
  const root = dirname(dirname(real));
  const found =
    writableOnTheWay(nodePath) ??
    writableOnTheWay(scriptPath) ??
    writableOnTheWay(real) ??
    writableWithin(root) ??
    packageDirectories(root)
      .map(writableWithin)
      .find((each) => each !== null);
  if (found) throw writableProgram(found, dirname(dirname(scriptPath)));
}

/** What keeps a user with no rights of its own from a path, outermost first; null when nothing does. */
function closedPart(path: string): string | null {
  if (/^\/(var\/)?tmp\//.test(path)) return `${path} (the service has a /tmp of its own)`;
  const parent = dirname(path);
  const above = parent === path ? null : closedPart(parent);
  if (above !== null) return above;
  const info = statSync(path);
  const needed = info.isDirectory() ? 0o001 : 0o004;
  if ((info.mode & needed) !== 0) return null;
  return `${path} has mode ${(info.mode & 0o777).toString(8).padStart(4, "0")}`;
}
