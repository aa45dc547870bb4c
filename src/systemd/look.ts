/** What is there of a service, and what this machine lets one have. Reads, and tries; changes nothing. */
import { lookup } from "node:dns/promises";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { listKeysCommand } from "../core/advice/command-lines.ts";
import type { Scope } from "../core/service-scope.ts";
import { type Config, loadConfig } from "../shared/config.ts";
import { KEYS, type VendorSection } from "../shared/config-keys.ts";
import { isAdminGivenUp } from "../shared/admin-address.ts";
import { AppError } from "../shared/errors.ts";
import { hardeningOf } from "./hardening.ts";
import { isActive, showUnit } from "./host.ts";
import { type InstalledUnit, installedUnit } from "./installed.ts";
import { PACKAGED_ABILITIES } from "./packaged.ts";
import { type Places, type Program, SERVICE, UNIT } from "./places.ts";
import { type Found, type FoundSocket, planInstall } from "./plan.ts";
import type { Runner } from "./runner.ts";
import { LISTENERS, type ListenerUnit } from "./sockets.ts";
import type { Abilities } from "./unit.ts";

interface Asked {
  places: Places;
  program: Program;
  vendors: readonly VendorSection[];
}

/**
 * `tries`: starts a process to see whether the host takes what containers often refuse; else what the unit has counts.
 * Throws `CONFIG_INVALID` for a configuration `serve` would not start with.
 */
export async function look(runner: Runner, asked: Asked, { tries }: { tries: boolean }): Promise<Found> {
  const { places, vendors } = asked;
  // As the service will read it: with its own environment, not this shell's.
  const config = loadConfig({
    file: places.configFile,
    isRequired: false,
    env: environmentIn(places.environmentFile),
    flags: {},
    vendors,
    listKeys: listKeysCommand,
  });
  const installed = installedUnit(places);
  const [unit, user, sockets, abilities] = await Promise.all([
    showUnit(runner, places.scope, UNIT),
    runner.run("id", ["--user", SERVICE]),
    Promise.all(LISTENERS.map((listener) => lookAtSocket(runner, places, { listener, config }))),
    abilitiesOf(runner, asked, { config, installed, tries }),
  ]);
  return {
    hasUser: user.code === 0,
    hasConfigDir: existsSync(places.configDir),
    hasKey: existsSync(places.keyFile),
    vault:
      config.file === null ? null : { backend: config["vault.backend"], keyFile: config["vault.key_file"] },
    org: config.org,
    unit: installed?.text ?? null,
    isPackaged: installed?.isPackaged ?? false,
    isEnabled: unit.UnitFileState === "enabled",
    isActive: isActive(unit),
    isUnread: unit.NeedDaemonReload === "yes" || sockets.some(({ isUnread }) => isUnread),
    sockets,
    abilities,
  };
}

/** The files that are not as this program would have them; none where its configuration is in the way of telling. */
export async function outdatedFiles(runner: Runner, asked: Asked): Promise<string[]> {
  try {
    const { places, program } = asked;
    const found = await look(runner, asked, { tries: false });
    const { steps } = planInstall({ places, program, org: undefined, unseen: [] }, found);
    return steps.flatMap((step) => {
      const isFile = step.does === "write" || step.does === "remove";
      return isFile && step.path.startsWith(places.unitDir) ? [step.path] : [];
    });
  } catch (error) {
    if (error instanceof AppError) return [];
    throw error;
  }
}

async function lookAtSocket(
  runner: Runner,
  places: Places,
  { listener, config }: { listener: ListenerUnit; config: Config },
): Promise<FoundSocket & { isUnread: boolean }> {
  const { unit, key } = listener;
  const installed = installedUnit(places, unit);
  const [shown, address] = await Promise.all([
    showUnit(runner, places.scope, unit),
    isOpened(listener, config) ? numericAddress(config[key], key) : null,
  ]);
  return {
    listener,
    file: join(places.unitDir, unit),
    address,
    text: installed?.text ?? null,
    isPackaged: installed?.isPackaged ?? false,
    isEnabled: shown.UnitFileState === "enabled",
    isActive: isActive(shown),
    isUnread: shown.NeedDaemonReload === "yes",
  };
}

function isOpened({ key }: ListenerUnit, config: Config): boolean {
  return key !== "serve.admin_listen" || !(config[key] === "none" || isAdminGivenUp(config));
}

/** systemd resolves no names. */
async function numericAddress(address: string, key: ListenerUnit["key"]): Promise<string> {
  const cut = address.lastIndexOf(":");
  const [host, port] = [address.slice(0, cut).replace(/^\[|\]$/g, ""), address.slice(cut + 1)];
  if (Number(port) === 0)
    throw new AppError("CONFIG_INVALID", `${key} = "${address}" names no port, which a service needs`, {
      hint: `Set ${key} to one that others know, as ${KEYS[key].default}.`,
    });
  try {
    const { address: found, family } = await lookup(host);
    return family === 6 ? `[${found}]:${port}` : `${found}:${port}`;
  } catch (cause) {
    throw new AppError("CONFIG_INVALID", `${key}: the name ${host} has no address`, {
      hint: `Set ${key} to an address of this machine.`,
      cause,
    });
  }
}

const PERL = "/usr/bin/perl";

async function abilitiesOf(
  runner: Runner,
  { places: { scope }, program }: Asked,
  { config, installed, tries }: { config: Config; installed: InstalledUnit | null; tries: boolean },
): Promise<Abilities> {
  const files = ["network.ca_file", "vault.key_file", "serve.tls_cert", "serve.tls_key"] as const;
  const needed = [program.nodePath, program.scriptPath, ...files.map((key) => config[key])];
  const needsHomes = needed.some(isInHome);
  if (installed?.isPackaged && !tries) return { ...PACKAGED_ABILITIES, needsHomes };
  const [systemd, perl, privateUsers] = await Promise.all([
    runner.run("systemctl", ["--version"]),
    runner.run(PERL, ["-MSocket", "-MFcntl", "-e", "1"]),
    scope === "system" && tries
      ? takesPrivateUsers(runner, program, { scope, needsHomes })
      : /^PrivateUsers=yes$/m.test(installed?.text ?? ""),
  ]);
  return {
    version: Number(/^systemd (\d+)/.exec(systemd.out)?.[1] ?? 0),
    perl: perl.code === 0 ? PERL : null,
    needsHomes,
    privateUsers,
  };
}

/** Under all the other limits, as the service will be: what is refused alone may be so only together. */
async function takesPrivateUsers(
  runner: Runner,
  { nodePath }: Program,
  { scope, needsHomes }: { scope: Scope; needsHomes: boolean },
): Promise<boolean> {
  const settings = hardeningOf(scope, { privateUsers: true, needsHomes }).filter(
    (line) => !line.startsWith("#"),
  );
  const { code } = await runner.run("systemd-run", [
    ...["--wait", "--collect", "--quiet", "--no-ask-password", "--property=User=nobody"],
    ...["--property=NoNewPrivileges=yes", ...settings.map((line) => `--property=${line}`)],
    ...["--description=does this host let a service have users of its own?", "--", nodePath, "--eval", "0"],
  ]);
  return code === 0;
}

const HOMES = /^\/(home|root|run\/user)\//;

/** Also where a link leads there. */
function isInHome(path: string): boolean {
  if (HOMES.test(path)) return true;
  try {
    return HOMES.test(realpathSync(path));
  } catch {
    return false;
  }
}

/** Our variables of an `EnvironmentFile=`; none where it may not be read. */
function environmentIn(path: string): Record<string, string> {
  try {
    const lines = (textOf(path) ?? "").matchAll(/^[ \t]*(JC_\w+)=(.*?)[ \t]*$/gm);
    return Object.fromEntries(
      [...lines].map(([, name = "", value = ""]) => [name, value.replace(/^(["'])(.*)\1$/, "$2")]),
    );
  } catch {
    return {};
  }
}

function textOf(path: string): string | null {
  return existsSync(path) ? readFileSync(path, "utf8") : null;
}
