import { homedir } from "node:os";
import { join } from "node:path";
import type { Environment } from "./config.ts";

/** Where state and configuration rest unless told otherwise: systemd's directories, else the platform's own place. */
export function defaultStateDir(env: Environment, platform: NodeJS.Platform): string {
  if (env.STATE_DIRECTORY) return firstOf(env.STATE_DIRECTORY);
  if (platform === "darwin") return join(homedir(), "Library", "Application Support", "jc-integrations");
  if (platform === "win32")
    return join(env.LOCALAPPDATA ?? join(homedir(), "AppData", "Local"), "jc-integrations");
  return join(env.XDG_STATE_HOME || join(homedir(), ".local", "state"), "jc-integrations");
}

export function defaultConfigFile(env: Environment, platform: NodeJS.Platform): string {
  if (env.CONFIGURATION_DIRECTORY) return join(firstOf(env.CONFIGURATION_DIRECTORY), "config.toml");
  if (platform === "darwin")
    return join(homedir(), "Library", "Preferences", "jc-integrations", "config.toml");
  if (platform === "win32")
    return join(env.APPDATA ?? join(homedir(), "AppData", "Roaming"), "jc-integrations", "config.toml");
  return join(env.XDG_CONFIG_HOME || join(homedir(), ".config"), "jc-integrations", "config.toml");
}

/** systemd separates several directories by colons. */
function firstOf(directories: string): string {
  return directories.split(":")[0] ?? directories;
}
