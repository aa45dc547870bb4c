import { BlockList, isIP } from "node:net";
import type { Config } from "./config.ts";
import { AppError } from "./errors.ts";

/** Nobody chose the admin listener's port, and the public one was given the very same: webhooks have it. */
export function isAdminGivenUp(config: Config): boolean {
  const key = "serve.admin_listen";
  return config.origins[key] === "default" && portOf(config[key]) === portOf(config["serve.listen"]);
}

/** Another machine could listen to what the admin listener is asked there, its token too. */
export function adminExposed(address: string): AppError {
  return new AppError(
    "CONFIG_INVALID",
    `serve.admin_listen = ${JSON.stringify(address)} would send its token in the clear`,
    {
      hint: "Set serve.tls_cert and serve.tls_key, or listen on 127.0.0.1 and come by an SSH tunnel.",
    },
  );
}

/** Of an address as it is written: a name other than `localhost` tells nothing before it is looked up. */
export function isElsewhere(address: string): boolean {
  const host = address.slice(0, address.lastIndexOf(":")).replace(/^\[(.*)\]$/, "$1");
  return isIP(host) !== 0 && !isLoopbackAddress(host);
}

/** In whatever way it is written: `::1` has many, and 127.0.0.1 one as IPv6. */
export function isLoopbackAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  const loopback = new BlockList();
  loopback.addSubnet("127.0.0.0", 8);
  loopback.addAddress("::1", "ipv6");
  return loopback.check(address, family === 6 ? "ipv6" : "ipv4");
}

/** Does a URL with this host name lead to the machine itself, whoever asks? */
export function isThisMachine(hostname: string): boolean {
  return hostname === "localhost" || isLoopbackAddress(hostname.replace(/^\[(.*)\]$/, "$1"));
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}
