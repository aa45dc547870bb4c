/**
 * The systemd unit of `serve`: where a service's parts rest, and the unit's text. What the service is given
 * (user, directories, vault key) is a value of its own, since `service exec` gives a command the very same.
 */
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { Environment } from "../shared/config.ts";
import { defaultConfigFile, defaultStateDir } from "../shared/paths.ts";

export const SERVICE = "jc-integrations";
export const UNIT = `${SERVICE}.service`;

/** One for the machine, under a user of its own; or one for the person who installs it. */
export type Scope = "system" | "user";

/** Absolute paths, the same however the command was called: the service has places of its own. */
export interface Places {
  scope: Scope;
  unitFile: string;
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

/** Lines of a `[Service]` section, and environment variables. */
export interface Surroundings {
  settings: readonly (readonly [name: string, value: string])[];
  environment: Readonly<Record<string, string>>;
}

/** What makes a process the service's: whose it is, which directories and which vault key it has. */
export function surroundingsOf(places: Places): Surroundings {
  const always = [
    ["EnvironmentFile", `-${places.environmentFile}`],
    ["UMask", "0077"],
    ["LimitCORE", "0"],
    ["SyslogIdentifier", SERVICE],
    ["NoNewPrivileges", "yes"],
  ] as const;
  if (places.scope === "user") {
    // Not StateDirectory=: before systemd 254 a user's one lies in ~/.config, where no other command would look.
    const environment = { JC_CONFIG: places.configFile, JC_STATE_DIR: places.stateDir };
    return { settings: always, environment };
  }
  const own = [
    ["User", SERVICE],
    ["Group", SERVICE],
    ["StateDirectory", SERVICE],
    ["StateDirectoryMode", "0700"],
    ["ConfigurationDirectory", SERVICE],
    ["LoadCredential", `vault-key:${places.keyFile}`],
  ] as const;
  return { settings: [...own, ...always], environment: {} };
}

export function unitText(places: Places, { nodePath, scriptPath }: Program): string {
  const isSystem = places.scope === "system";
  const { settings, environment } = surroundingsOf(places);
  return `${[
    `# Written by \`${SERVICE} service install --${places.scope}\`, which writes it anew when run again.`,
    `# For changes of your own: systemctl ${isSystem ? "" : "--user "}edit ${SERVICE}`,
    "[Unit]",
    "Description=JobCannon integrations: webhook receiver, scheduler, delivery",
    ...(isSystem ? ["After=network-online.target", "Wants=network-online.target"] : []),
    "# Never gives up, however often it falls.",
    "StartLimitIntervalSec=0",
    "",
    "[Service]",
    "Type=exec",
    `ExecStart=${[nodePath, withoutVariables(scriptPath), "serve"].map(word).join(" ")}`,
    "# Says in the journal what of a changed configuration needs a restart.",
    "ExecReload=/bin/sh -c 'kill -HUP $MAINPID'",
    "# Whatever ends it, but `systemctl stop`: nothing else is meant to.",
    "Restart=always",
    "RestartSec=2",
    "KillSignal=SIGTERM",
    "TimeoutStopSec=30",
    ...Object.entries(environment).map(([name, value]) => `Environment=${word(`${name}=${value}`)}`),
    ...settings.map(([name, value]) => `${name}=${withoutSpecifiers(value)}`),
    ...(isSystem ? HARDENING : []),
    "",
    "[Install]",
    `WantedBy=${isSystem ? "multi-user.target" : "default.target"}`,
  ].join("\n")}\n`;
}

/** Of the system's service only: a person's systemd has not the rights for them. */
const HARDENING = [
  "ProtectSystem=strict",
  "# Not hidden: Node or the program may have been installed there.",
  "ProtectHome=read-only",
  "PrivateTmp=yes",
  "PrivateDevices=yes",
  "ProtectKernelModules=yes",
  "ProtectKernelTunables=yes",
  "ProtectControlGroups=yes",
  "RestrictSUIDSGID=yes",
  "LockPersonality=yes",
  "# Not MemoryDenyWriteExecute=yes: Node's compiler writes the code it runs.",
];

/** For the words after a command's name: systemd takes a `$` in them for a variable, in systemd-run's too. */
export function withoutVariables(text: string): string {
  return text.replaceAll("$", "$$$$");
}

/** One word as systemd.syntax(7) has it, quoted where need be. */
function word(text: string): string {
  const inert = withoutSpecifiers(text);
  return /^[\w$%+=:,./-]+$/.test(inert) ? inert : `"${inert.replace(/["\\]/g, "\\$&")}"`;
}

function withoutSpecifiers(text: string): string {
  return text.replaceAll("%", "%%");
}
