import { serviceCommand } from "../core/advice/command-lines.ts";
import { installCommand, systemctlCommand } from "../core/advice/systemd.ts";
import { isoTime } from "../shared/clock.ts";
import { relativeTime } from "../shared/text.ts";
import type { RunningService } from "../flows/watch/services.ts";
import type { Output, World } from "../shared/world.ts";
import type { Places } from "../systemd/places.ts";
import type { Runner } from "../systemd/runner.ts";
import { VENDORS } from "../vendors/index.ts";
import { programOf, requireInstalled, runnerFor, type ScopeOptions } from "./session/installed-service.ts";

export async function showStatus({ world, terminal, print }: Output, options: ScopeOptions): Promise<void> {
  const [host, look, { installedUnit, stateOfSockets }, { UNIT }, runner] = await Promise.all([
    import("../systemd/host.ts"),
    import("../systemd/look.ts"),
    import("../systemd/installed.ts"),
    import("../systemd/places.ts"),
    runnerFor(world),
  ]);
  const places = await requireInstalled(world, options);
  const { scope, stateDir, configFile, environmentFile } = places;
  const unitFile = installedUnit(places)?.file ?? places.unitFile;
  const [unit, outdated, sockets] = await Promise.all([
    host.showUnit(runner, scope, UNIT),
    look.outdatedFiles(runner, { places, program: programOf(world), vendors: VENDORS }),
    stateOfSockets(runner, places),
  ]);
  const changedAt = Date.parse(unit.StateChangeTimestamp ?? "");
  const startedAt = Date.parse(unit.ExecMainStartTimestamp ?? "");
  const restart = systemctlCommand(scope, "restart");
  const runs = unit.ActiveState === "active" ? await whatRuns(runner, places, world) : null;
  const json = {
    scope,
    state: unit.ActiveState ?? "unknown",
    since: Number.isNaN(changedAt) ? null : isoTime(changedAt),
    enabled: unit.UnitFileState === "enabled",
    restarts: Number(unit.NRestarts ?? 0),
    says: unit.StatusText || null,
    sockets,
    unitFile,
    stateDir,
    configFile,
    program: runs === null ? null : { version: runs.version, build: runs.build },
    config: runs?.config ?? null,
    advice: [
      ...(runs?.advice ?? []),
      ...[unitFile, environmentFile]
        .filter((path) => host.changedSince(path, startedAt))
        .map((path) => `${path} changed since serve started: ${restart}`),
      ...outdated.map((path) => `${path} is not as this program writes it: ${installCommand(scope)}`),
    ],
  };
  const since = json.since === null ? "" : `, since ${relativeTime(changedAt, world.clock.now())}`;
  const rows = [
    ["service", json.state + since],
    ["program", runs === null ? unseenWords(unit.ActiveState) : `${runs.version} (build ${runs.build})`],
    ["at boot", json.enabled ? "is started" : "is not started"],
    ["restarts", String(json.restarts)],
    ["says", json.says ?? "–"],
    ...sockets.map((socket) => ["socket", `${socket.address}, ${socket.state} (${socket.unit})`]),
    ["unit", unitFile],
    ["state", stateDir],
    ["config", configFile + (runs?.config ? ` (runs with ${runs.config.digest})` : "")],
  ];
  const advice = json.advice.map((words) => terminal.paint.yellow(`! ${words}`));
  print({ json, text: () => [terminal.table(["", ""], rows).trimStart(), ...advice].join("\n") });
}

/** Asked through `service exec`: nobody else may read its state. Null for one without the right to ask. */
async function whatRuns(runner: Runner, places: Places, world: World): Promise<RunningService | null> {
  const { askAsService } = await import("../systemd/surroundings.ts");
  const argv = ["status", "--json"];
  const asked = { places, program: programOf(world), argv, cwd: "/", person: "root" };
  const { out } = await askAsService(runner, asked);
  try {
    const { services }: { services?: RunningService[] } = Object(JSON.parse(out));
    return services?.[0] ?? null;
  } catch {
    return null;
  }
}

function unseenWords(state: string | undefined): string {
  return state === "active" ? `seen by root only: sudo ${serviceCommand("status")}` : "does not run";
}
