/** Where a service's parts rest. */
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { serviceCommand } from "../core/advice/command-lines.ts";
import type { Scope } from "../core/service-scope.ts";
import type { Environment } from "../shared/config.ts";
import { defaultConfigFile, defaultStateDir } from "../shared/paths.ts";

export const SERVICE = "jc-integrations";
export const UNIT = `${SERVICE}.service`;

/** Absolute paths, the same however the command was called: the service has places of its own. */
export interface Places {
  scope: Scope;
  unitFile: string;
  /** Where the units of sockets rest, too. */
  unitDir: string;
  /** Where a distribution's package leaves its units, which those in `unitDir` go before; null where none does. */
  packagedUnitDir: string | null;
  stateDir: string;
  configDir: string;
  configFile: string;
  keyFile: string;
  /** Not written by us: `HTTPS_PROXY` and the like, for the service and for `service exec`. */
  environmentFile: string;
}

export interface Program {
  nodePath: string;
  scriptPath: string;
}

export function placesOf(scope: Scope, env: Environment): Places {
  const [unitDir, configFile, stateDir] =
    scope === "system"
      ? ["/etc/systemd/system", `/etc/${SERVICE}/config.toml`, `/var/lib/${SERVICE}`]
      : [userUnitDir(env), defaultConfigFile(env, "linux"), defaultStateDir(env, "linux")];
  const configDir = dirname(configFile);
  return {
    scope,
    unitFile: join(unitDir, UNIT),
    unitDir,
    packagedUnitDir: scope === "system" ? "/usr/lib/systemd/system" : null,
    stateDir,
    configDir,
    configFile,
    keyFile: join(configDir, "vault-key"),
    environmentFile: join(configDir, "environment"),
  };
}

function userUnitDir(env: Environment): string {
  return join(env.XDG_CONFIG_HOME || join(homedir(), ".config"), "systemd", "user");
}

/** What a unit's file begins with. */
export function writtenBy({ scope }: Places, unit: string): string[] {
  return [
    `# Written, and written anew when it is run again, by: ${serviceCommand("install", `--${scope}`)}`,
    `# For changes of your own: systemctl ${scope === "system" ? "" : "--user "}edit ${unit}`,
  ];
}
