/** What to type about the service that systemd starts: to systemd, and to us. */
import { AppError } from "../../shared/errors.ts";
import { VERSION } from "../../shared/version.ts";
import { DEFAULT_VENDOR } from "../default-vendor.ts";
import type { Scope } from "../service-scope.ts";
import {
  asServiceCommand,
  connectCommand,
  SERVE_COMMAND,
  serviceCommand,
  setSecretCommand,
} from "./command-lines.ts";

const SERVICE = "jc-integrations";

export function installCommand(scope: Scope): string {
  const install = serviceCommand("install", `--${scope}`);
  return scope === "system" ? `sudo ${install}` : install;
}

/** One of our command lines where it is to reach the service's state: the machine's has a user and a vault key of its own. */
export function reaching(scope: Scope, line: string): string {
  return scope === "system" ? `sudo ${asServiceCommand(line.slice(SERVICE.length + 1))}` : line;
}

export function systemctlCommand(
  scope: Scope,
  verb: "start" | "stop" | "restart" | "enable" | "edit",
  units: readonly string[] = [SERVICE],
): string {
  return [scope === "system" ? "sudo systemctl" : "systemctl --user", verb, ...units].join(" ");
}

/** A socket that is restarted together with its service may be opened before the service lets go of it. */
export function restartWith(scope: Scope, sockets: readonly string[]): string {
  if (sockets.length === 0) return systemctlCommand(scope, "restart");
  return `${systemctlCommand(scope, "stop", [...sockets, SERVICE])} && ${systemctlCommand(scope, "start")}`;
}

/** Lets a person's service run while nobody is logged in. */
export const LINGER = "loginctl enable-linger";

/** What comes after the service is installed. */
export function nextAfterInstall(scope: Scope, configFile: string): string[] {
  const isSystem = scope === "system";
  const user = isSystem ? "" : "--user ";
  const edit = isSystem ? "sudoedit" : `"\${EDITOR:-vi}"`;
  return [
    `systemctl ${user}status ${SERVICE}`,
    `journalctl ${user}-u ${SERVICE} -f`,
    `${edit} ${configFile}   # then: ${systemctlCommand(scope, "restart")}`,
    reaching(scope, setSecretCommand("hubspot.client-secret")),
    reaching(scope, connectCommand({ vendor: DEFAULT_VENDOR }, isSystem ? "--no-browser" : undefined)),
  ];
}

export function noService(scope: Parameters<typeof installCommand>[0]): AppError {
  return new AppError("USAGE", "no service is installed", { hint: installCommand(scope) });
}

export function noSystemd(): AppError {
  return new AppError("USAGE", "there is no systemd running here", {
    hint: `Let what starts services here run: ${SERVE_COMMAND}`,
  });
}

export function silentSystemd(words: string): AppError {
  return new AppError("USAGE", `your own systemd does not answer: ${words}`, {
    hint: "Log in as that user (by ssh, or machinectl shell), not through su or sudo.",
  });
}

/** `line`: what was typed, and has to be typed as root. */
export function rootsService(line: string): AppError {
  return new AppError("USAGE", "the system's service belongs to root", { hint: `sudo ${line}` });
}

/** `directory`: where the program lies. */
export function closedProgram(part: string, directory: string): AppError {
  return new AppError("USAGE", `the service's user cannot read the program: ${part}`, {
    hint: installForEverybody(directory),
  });
}

export function closedNode(part: string): AppError {
  return new AppError("USAGE", `the service's user cannot run this Node: ${part}`, {
    hint: "Install Node for everybody, from your distribution or NodeSource, and run this with that one.",
  });
}

/** `fix`: what root types to close it. */
export function writableProgram(
  { path, how, fix }: { path: string; how: string; fix: string },
  directory: string,
): AppError {
  return new AppError("USAGE", `others than root can change the program: ${path} ${how}`, {
    hint: `sudo ${fix}. Or, with this Node at a place of root's: ${installForEverybody(directory)}`,
  });
}

/** Of this very program: no registry has it, and whoever took its name there would run as root. */
function installForEverybody(directory: string): string {
  return `Install it for everybody: cd '${directory}' && npm pack --ignore-scripts && sudo npm install --global --prefix /usr/local --allow-scripts=better-sqlite3,keytar ./${SERVICE}-${VERSION}.tgz`;
}
