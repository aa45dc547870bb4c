/** What systemd says of the service whose state this is. Asks, and changes nothing. */
import type { Environment } from "../../../shared/config.ts";
import { isActive, showUnit } from "../../../systemd/host.ts";
import { installedUnit } from "../../../systemd/installed.ts";
import { outdatedFiles } from "../../../systemd/look.ts";
import type { Scope } from "../../../core/service-scope.ts";
import { type Places, placesOf, type Program, UNIT } from "../../../systemd/places.ts";
import { createRunner } from "../../../systemd/runner.ts";
import type { VendorDeclaration } from "../../../vendors/contract/declaration.ts";

export interface UnitFacts {
  scope: Scope;
  isActive: boolean;
  /** As `failed (exit-code)`. */
  state: string;
  isEnabled: boolean;
  /** Does systemd end one that hangs? */
  hasWatchdog: boolean;
  restarts: number;
  /** Unit files that are not as this program writes them. */
  outdated: string[];
}

const LONGEST_ASKED_MS = 5_000;

/** Null where no unit is installed for this state directory. */
export async function lookAtUnit({
  env,
  stateDir,
  program,
  vendors,
}: {
  env: Environment;
  stateDir: string;
  program: Program;
  vendors: readonly VendorDeclaration[];
}): Promise<UnitFacts | null> {
  const places = installedFor(stateDir, env);
  if (places === null) return null;
  const runner = createRunner(env, { longestMs: LONGEST_ASKED_MS });
  const [unit, outdated] = await Promise.all([
    showUnit(runner, places.scope, UNIT),
    outdatedFiles(runner, { places, program, vendors }),
  ]);
  const { ActiveState = "unknown", Result = "", WatchdogUSec = "", NRestarts = "0" } = unit;
  return {
    scope: places.scope,
    isActive: isActive(unit),
    state: Result === "" || Result === "success" ? ActiveState : `${ActiveState} (${Result})`,
    isEnabled: unit.UnitFileState === "enabled",
    hasWatchdog: !["", "0", "infinity"].includes(WatchdogUSec),
    restarts: Number(NRestarts),
    outdated,
  };
}

function installedFor(stateDir: string, env: Environment): Places | null {
  const all = (["system", "user"] as const).map((scope) => placesOf(scope, env));
  return all.find((places) => places.stateDir === stateDir && installedUnit(places) !== null) ?? null;
}
