import type { Config } from "./config.ts";

/** Nobody chose the admin listener's port, and the public one was given the very same: webhooks have it. */
export function isAdminGivenUp(config: Config): boolean {
  const key = "serve.admin_listen";
  return config.origins[key] === "default" && portOf(config[key]) === portOf(config["serve.listen"]);
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}
