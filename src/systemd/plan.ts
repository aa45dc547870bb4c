/** What `service install` and `service uninstall` would do: a value, to be printed or to be applied. */
import { LINGER, restartWith, systemctlCommand } from "../core/advice/systemd.ts";
import type { InstalledUnit } from "./installed.ts";
import { type Places, type Program, SERVICE, UNIT } from "./places.ts";
import { type ListenerUnit, socketText } from "./sockets.ts";
import { starterConfig } from "./starter-config.ts";
import { type Abilities, unitText } from "./unit.ts";

export interface ServicePlan {
  /** In this order; empty when all is as it should be. Broken off anywhere, the next plan holds the rest. */
  steps: readonly Step[];
  /** What the operator has to know or do besides. */
  notes: readonly string[];
}

export type Step =
  | { does: "make-directory"; path: string; mode: number }
  | { does: "write"; path: string; mode: number; content: string; isChange: boolean }
  /** Its content is made up when it is written, so that no plan ever holds a secret. */
  | { does: "write-key"; path: string; mode: number; randomBytes: number }
  | { does: "remove"; path: string }
  | { does: "run"; command: readonly [string, ...string[]] };

/** What is there already. */
export interface Found {
  hasUser: boolean;
  hasConfigDir: boolean;
  hasKey: boolean;
  /** The vault's part of the configuration file; null when there is no file. */
  vault: { backend: "keychain" | "sealed"; keyFile: string } | null;
  /** The org that commands mean which name none. */
  org: string;
  /** The unit's text; null when there is no unit. */
  unit: string | null;
  /** The unit is the one that a package brought. */
  isPackaged: boolean;
  isEnabled: boolean;
  isActive: boolean;
  /** systemd has read another text of one of the units than its file now holds. */
  isUnread: boolean;
  sockets: readonly FoundSocket[];
  abilities: Abilities;
}

export interface FoundSocket {
  listener: ListenerUnit;
  file: string;
  /** Where it is to listen, with an IP address; null where it is not wanted. */
  address: string | null;
  /** Null when there is no such unit. */
  text: string | null;
  /** It is the one that a package brought, and `file` is not there. */
  isPackaged: boolean;
  isEnabled: boolean;
  isActive: boolean;
}

export function planInstall(
  {
    places,
    program,
    org,
    unseen,
  }: {
    places: Places;
    program: Program;
    org: string | undefined;
    /** Variables of the shell that a command here heeds, and the service will not see. */
    unseen: readonly string[];
  },
  found: Found,
): ServicePlan {
  const isSystem = places.scope === "system";
  const wanted = found.sockets.filter(isWanted);
  const left = found.sockets.filter((socket) => !isWanted(socket) && isLeft(socket));
  const listeners = wanted.map(({ listener }) => listener);
  const units = [
    {
      path: places.unitFile,
      text: unitText(places, program, found.abilities, listeners),
      before: found.unit,
      isChange: found.unit !== null && !found.isPackaged,
    },
    ...wanted.map(({ listener, file, address, text, isPackaged }) => ({
      path: file,
      text: socketText(places, listener, address),
      before: text,
      isChange: text !== null && !isPackaged,
    })),
  ];
  const changed = units.filter(({ text, before }) => text !== before);
  const isNew = changed.length + left.length > 0;
  const steps: Step[] = [];
  if (isSystem && !found.hasUser) steps.push(run(...ADD_USER, places.stateDir, SERVICE));
  if (!found.hasConfigDir)
    steps.push({ does: "make-directory", path: places.configDir, mode: isSystem ? 0o755 : 0o700 });
  if (needsKey(places, found))
    steps.push({ does: "write-key", path: places.keyFile, mode: 0o600, randomBytes: 32 });
  if (found.vault === null) {
    const mode = isSystem ? 0o644 : 0o600;
    steps.push(write(places.configFile, mode, starterConfig(places, org), false));
  }
  for (const { path, text, isChange } of changed) steps.push(write(path, 0o644, text, isChange));
  for (const { listener, file, isPackaged } of left) {
    steps.push(systemctl(places, "disable", "--now", listener.unit));
    if (!isPackaged) steps.push({ does: "remove", path: file });
  }
  if (isNew || found.isUnread) steps.push(systemctl(places, "daemon-reload"));
  steps.push(...enabling(places, { ...found, sockets: wanted }));
  return {
    steps,
    notes: [
      ...notesOn(places, found, isNew),
      ...notesOnOrg(places, found, org),
      ...notesOnUnseen(places, unseen),
    ],
  };
}

/** Does anything of it have to go? A package's own unit stays, and does nothing unless it is enabled. */
function isLeft({ text, isPackaged, isEnabled, isActive }: FoundSocket): boolean {
  return text !== null && (!isPackaged || isEnabled || isActive);
}

function isWanted(socket: FoundSocket): socket is FoundSocket & { address: string } {
  return socket.address !== null;
}

/**
 * Starts what was never enabled; not what the operator stopped. The service's start opens its sockets, as far as it can:
 * whether it goes on without one is its own to say.
 */
function enabling(places: Places, { sockets, isEnabled, isActive }: Found): Step[] {
  const units = sockets.flatMap((socket) => (socket.isEnabled ? [] : [socket.listener.unit]));
  return [
    ...(units.length === 0 ? [] : [systemctl(places, "enable", ...units)]),
    ...(isEnabled ? [] : [systemctl(places, "enable", ...(isActive ? [] : ["--now"]), UNIT)]),
  ];
}

/** State, configuration and vault key stay: they hold what cannot be had again. */
export function planUninstall(
  places: Places,
  units: readonly Pick<InstalledUnit, "unit" | "file" | "isPackaged">[],
): ServicePlan {
  const isSystem = places.scope === "system";
  const packaged = units.filter(({ isPackaged }) => isPackaged).map(({ file }) => file);
  return {
    steps: [
      systemctl(places, "disable", "--now", ...units.map(({ unit }) => unit)),
      ...units.flatMap(({ file, isPackaged }): Step[] =>
        isPackaged ? [] : [{ does: "remove", path: file }],
      ),
      systemctl(places, "daemon-reload"),
    ],
    notes: [
      `Left as they are: ${places.stateDir} (log and vault), ${places.configDir} (configuration and vault key)${isSystem ? `, the user ${SERVICE}` : ""}.`,
      ...(packaged.length === 0
        ? []
        : [
            `${packaged.join(", ")} ${packaged.length === 1 ? "is" : "are"} the package's, and disabled now.`,
          ]),
    ],
  };
}

const ADD_USER = [
  "useradd",
  "--system",
  "--no-create-home",
  "--shell",
  "/usr/sbin/nologin",
  "--home-dir",
] as const;

function needsKey({ scope, keyFile }: Places, { hasKey, vault }: Found): boolean {
  if (hasKey) return false;
  return scope === "system" || vault === null || (vault.backend === "sealed" && vault.keyFile === keyFile);
}

function notesOn(places: Places, found: Found, isWritten: boolean): string[] {
  const { scope } = places;
  const { vault, isActive, isEnabled } = found;
  const moved = found.sockets.filter(isWanted).flatMap(({ listener, address, text, isActive }) => {
    const isMoved = isActive && text !== socketText(places, listener, address);
    return isMoved ? [listener.unit] : [];
  });
  const notes: string[] = [];
  if (vault?.backend === "keychain")
    notes.push(
      `${places.configFile} keeps the vault in the keychain, which a service without a desktop cannot open. For one that it can: backend = "sealed" under [vault].`,
    );
  if (scope === "user" && vault?.backend === "sealed" && vault.keyFile === "")
    notes.push(
      `${places.configFile} names no key: key_file = ${JSON.stringify(places.keyFile)} under [vault].`,
    );
  if (isWritten && (isActive || moved.length > 0))
    notes.push(
      `The service still runs by the old units. To take over the new ones: ${restartWith(scope, moved)}`,
    );
  if (scope === "user" && !isEnabled)
    notes.push(`It ends when you log out, unless you let it run on: ${LINGER}`);
  if (isEnabled && !isActive)
    notes.push(`The service does not run. To start it: ${systemctlCommand(scope, "start")}`);
  return notes;
}

/** A configuration that is there is never touched. */
function notesOnOrg({ configFile }: Places, { vault, org: named }: Found, org: string | undefined): string[] {
  if (vault === null || org === undefined || org === named) return [];
  return [`${configFile} is left as it is: write org = ${JSON.stringify(org)} at its top.`];
}

function notesOnUnseen({ environmentFile }: Places, unseen: readonly string[]): string[] {
  if (unseen.length === 0) return [];
  const [are, them] = unseen.length === 1 ? ["is", "it"] : ["are", "them"];
  return [
    `${unseen.join(", ")} ${are} set in this shell only, and the service will not see ${them}: write ${them} into ${environmentFile}.`,
  ];
}

function write(path: string, mode: number, content: string, isChange: boolean): Step {
  return { does: "write", path, mode, content, isChange };
}

function run(...command: [string, ...string[]]): Step {
  return { does: "run", command };
}

function systemctl({ scope }: Places, ...words: string[]): Step {
  return run("systemctl", ...(scope === "user" ? ["--user"] : []), ...words);
}
