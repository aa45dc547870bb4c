/**
 * The systemd unit of `serve`. What the service is given (user, directories, vault key) is a value of its own, since
 * `service exec` gives a command the very same.
 */
import { dirname, join } from "node:path";
import { hardeningOf } from "./hardening.ts";
import { type Places, type Program, SERVICE, writtenBy } from "./places.ts";
import { LISTENERS, type ListenerUnit } from "./sockets.ts";

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

/** What this machine lets a service have. */
export interface Abilities {
  /** systemd's own version, as 252. */
  version: number;
  /** The Perl that every Debian has; null where it is missing, or lacks its sockets. */
  perl: string | null;
  /** Users of its own (`PrivateUsers=yes`), which containers often refuse. */
  privateUsers: boolean;
  /** Node, the program or a file that the configuration names lies in somebody's home. */
  needsHomes: boolean;
}

/** `listeners`: those that systemd opens for it, and it has open when it starts. */
export function unitText(
  places: Places,
  program: Program,
  abilities: Abilities,
  listeners: readonly ListenerUnit[] = LISTENERS,
): string {
  const isSystem = places.scope === "system";
  const { settings, environment } = surroundingsOf(places);
  return `${[
    ...writtenBy(places, SERVICE),
    "[Unit]",
    "Description=JobCannon integrations: webhook receiver, scheduler, delivery",
    ...(isSystem ? ["After=network-online.target", "Wants=network-online.target"] : []),
    "# Never gives up, however often it falls.",
    "StartLimitIntervalSec=0",
    "",
    "[Service]",
    ...protocol(program, abilities),
    "# Whatever ends it, but `systemctl stop`: nothing else is meant to.",
    "Restart=always",
    "RestartSec=2",
    "KillSignal=SIGTERM",
    "TimeoutStopSec=30",
    `Sockets=${listeners.map(({ unit }) => unit).join(" ")}`,
    ...Object.entries(environment).map(([name, value]) => `Environment=${word(`${name}=${value}`)}`),
    ...settings.map(([name, value]) => `${name}=${withoutSpecifiers(value)}`),
    ...hardeningOf(places.scope, abilities),
    "",
    "[Install]",
    `WantedBy=${isSystem ? "multi-user.target" : "default.target"}`,
  ].join("\n")}\n`;
}

/** Older ones take `Type=notify-reload` for `simple`. */
const FIRST_WITH_NOTIFY_RELOAD = 253;

/** How systemd hears that the service is ready, reads its configuration, stops, and lives. */
function protocol({ nodePath, scriptPath }: Program, { version, perl }: Abilities): string[] {
  const serve = [nodePath, withoutVariables(scriptPath), "serve"];
  const launcher = join(dirname(scriptPath), "with-notify-socket.pl");
  const command = perl === null ? serve : [perl, withoutVariables(launcher), ...serve];
  const type =
    version >= FIRST_WITH_NOTIFY_RELOAD
      ? ["Type=notify-reload"]
      : ["Type=notify", "ExecReload=/bin/sh -c 'kill -HUP $MAINPID'"];
  return [
    ...type,
    ...(perl === null
      ? ["# systemd-notify speaks for it, since there is no Perl to open the socket.", "NotifyAccess=all"]
      : ["NotifyAccess=main"]),
    `ExecStart=${command.map(word).join(" ")}`,
    "# Ends what hangs. A full disk, a vault that cannot be read or a vendor that is away are no reason.",
    "WatchdogSec=60",
  ];
}

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
