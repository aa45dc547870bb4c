import { realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { AppError } from "../shared/errors.ts";
import { VERSION } from "../shared/version.ts";
import { type Program, type Scope, SERVICE } from "./places.ts";
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

/** Throws `USAGE` where nothing can be applied, and says what to type instead; `words` come after `service`. */
export async function refuseUnlessAble(runner: Runner, scope: Scope, words: string): Promise<void> {
  if ((await runner.run("systemctl", ["show-environment"])).code !== 0)
    throw new AppError("USAGE", "there is no systemd running here", {
      hint: `Let what starts services here run: ${SERVICE} serve`,
    });
  if (scope === "user") {
    const { code, err } = await runner.run("systemctl", ["--user", "show-environment"]);
    if (code === 0) return;
    throw new AppError("USAGE", `your own systemd does not answer: ${err.trim()}`, {
      hint: "Log in as that user (by ssh, or machinectl shell), not through su or sudo.",
    });
  }
  if ((await runOrThrow(runner, ["id", "--user"])).trim() === "0") return;
  throw new AppError("USAGE", "the system's service belongs to root", {
    hint: `sudo ${SERVICE} service ${words}`,
  });
}

/** Throws `USAGE` for a program that the service's own user could not start. */
export function refuseClosedProgram({ nodePath, scriptPath }: Program): void {
  const bundle = join(dirname(dirname(scriptPath)), "dist", "build.json");
  const closed = closedPart(scriptPath) ?? closedPart(bundle);
  if (closed !== null)
    throw new AppError("USAGE", `the service's user cannot read the program: ${closed}`, {
      hint: installHint(scriptPath),
    });
  const closedNode = closedPart(nodePath);
  if (closedNode !== null)
    throw new AppError("USAGE", `the service's user cannot run this Node: ${closedNode}`, {
      hint: "Install Node for everybody, from your distribution or NodeSource, and run this with that one.",
    });
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
  if (!found) return;
  throw new AppError("USAGE", `others than root can change the program: ${found.path} ${found.how}`, {
    hint: `sudo ${found.fix}. Or, with this Node at a place of root's: ${installHint(scriptPath)}`,
  });
}

/** Of this very program: no registry has it, and whoever took its name there would run as root. */
function installHint(scriptPath: string): string {
  const root = dirname(dirname(scriptPath));
  return `Install it for everybody: cd '${root}' && npm pack --ignore-scripts && sudo npm install --global --prefix /usr/local --allow-scripts=better-sqlite3,keytar ./${SERVICE}-${VERSION}.tgz`;
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
