/** The units that are there: those written for this machine, and those that a package brought. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { showUnit } from "./host.ts";
import { type Places, UNIT } from "./places.ts";
import type { Runner } from "./runner.ts";
import { LISTENERS } from "./sockets.ts";

export interface InstalledUnit {
  unit: string;
  file: string;
  text: string;
  /** Its file is the package's, and nobody else's to change. */
  isPackaged: boolean;
}

/** As systemd finds it: what was written for this machine goes before what a package brought. Null when there is none. */
export function installedUnit(
  { unitDir, packagedUnitDir }: Places,
  unit: string = UNIT,
): InstalledUnit | null {
  for (const directory of [unitDir, packagedUnitDir]) {
    if (directory === null) continue;
    const file = join(directory, unit);
    if (existsSync(file))
      return { unit, file, text: readFileSync(file, "utf8"), isPackaged: directory === packagedUnitDir };
  }
  return null;
}

/** The sockets before their service. */
export function installedUnits(places: Places): InstalledUnit[] {
  return [...LISTENERS.map(({ unit }) => unit), UNIT].flatMap((unit) => installedUnit(places, unit) ?? []);
}

/** Of each installed socket what systemd says of it, as `running` while the service has it, or `listening`. */
export async function stateOfSockets(
  runner: Runner,
  places: Places,
): Promise<{ unit: string; address: string; state: string }[]> {
  const sockets = installedUnits(places).filter(({ unit }) => unit !== UNIT);
  return await Promise.all(
    sockets.map(async ({ unit }) => {
      const { SubState: state = "unknown", Listen = "" } = await showUnit(runner, places.scope, unit);
      return { unit, address: Listen.replace(/ \(Stream\)$/, ""), state };
    }),
  );
}
