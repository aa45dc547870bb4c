/**
 * The proxy that the environment names, as curl understands it: https://curl.se/docs/manpage.html#ENVIRONMENT (2026-11).
 * `http_proxy` is not read, since plain http goes to this very machine only, past every proxy.
 */
import { BlockList, isIP } from "node:net";
import type { Environment } from "./config.ts";
import { AppError } from "./errors.ts";

export interface HttpProxy {
  /** The variable that names it. */
  variable: string;
  /** As `http://proxy.example:3128`, without what opens it. */
  url: string;
  /** The header's value that opens it; null where it asks nothing. */
  authorization: string | null;
  /** Does a call to that host pass it by? */
  isPassedBy(url: URL): boolean;
}

/** In the order in which they count; an empty one counts as unset. */
const VARIABLES = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
const PASSED_BY = ["no_proxy", "NO_PROXY"];
/** curl's own, not those of the schemes. */
const PORTS: Readonly<Record<string, string>> = { http: "1080", https: "443" };

/** Null where there is none. Throws `CONFIG_INVALID` with the variable's name, never with its value. */
export function proxyFrom(env: Environment): HttpProxy | null {
  const variable = VARIABLES.find((name) => env[name]);
  if (variable === undefined) return null;
  const isPassedBy = passedBy(PASSED_BY.map((name) => env[name]).find(Boolean) ?? "");
  return { variable, ...read(env[variable]?.trim() ?? "", variable), isPassedBy };
}

const SHAPE =
  /^(?:([a-z][a-z0-9+.-]*):\/\/)?(?:(.*)@)?(\[[0-9a-f:.]+\]|[^\s:/@?#[\]]+)(?::(\d{1,5}))?(?:[/?#].*)?$/i;

function read(text: string, variable: string): Pick<HttpProxy, "url" | "authorization"> {
  const [whole, scheme = "http", login, host = "", given] = SHAPE.exec(text) ?? [];
  const usualPort = PORTS[scheme.toLowerCase()];
  if (whole === undefined) throw noProxy(variable, "is no address of a proxy");
  if (usualPort === undefined)
    throw noProxy(variable, `names a ${scheme} proxy, and only http and https are taken`);
  const port = given ?? usualPort;
  const url = `${scheme.toLowerCase()}://${host}:${port}`;
  if (!URL.canParse(url) || Number(port) === 0) throw noProxy(variable, "is no address of a proxy");
  return { url, authorization: login === undefined ? null : basic(login, variable) };
}

/** A user alone has an empty password. */
function basic(login: string, variable: string): string {
  const [, user = "", password = ""] = /^([^:]*):?(.*)$/s.exec(login) ?? [];
  try {
    const decoded = [user, password].map(decodeURIComponent).join(":");
    return `Basic ${Buffer.from(decoded).toString("base64")}`;
  } catch {
    throw noProxy(variable, "has a user or password with a % that escapes nothing");
  }
}

function noProxy(variable: string, fault: string): AppError {
  return new AppError("CONFIG_INVALID", `the environment's ${variable} ${fault}`, {
    hint: `As ${variable}=http://proxy.example:3128, or unset it. A % in a password is %25, an @ is %40.`,
  });
}

/** Names with all their subdomains, addresses and networks, or `*` for every host. */
function passedBy(text: string): HttpProxy["isPassedBy"] {
  if (text.trim() === "*") return () => true;
  const entries = text.split(/[\s,]+/).filter(Boolean);
  const networks = new BlockList();
  for (const entry of entries) addNetwork(networks, entry);
  const names = entries.map((entry) =>
    entry
      .toLowerCase()
      .replace(/^\*?\./, "")
      .replace(/\.$/, ""),
  );
  return ({ hostname, port }) => {
    const host = hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
    const family = isIP(host);
    if (family !== 0 && networks.check(host, family === 6 ? "ipv6" : "ipv4")) return true;
    const places = [host, `${host}:${port || "443"}`];
    return names.some((name) =>
      places.some((place) => place === name || (family === 0 && place.endsWith(`.${name}`))),
    );
  };
}

function addNetwork(networks: BlockList, entry: string): void {
  const [, address = "", bits] = /^\[?([0-9a-f.:]+)\]?(?:\/(\d{1,3}))?$/i.exec(entry) ?? [];
  const family = isIP(address);
  if (family === 0) return;
  const most = family === 6 ? 128 : 32;
  if (Number(bits ?? most) > most) return;
  networks.addSubnet(address, Number(bits ?? most), family === 6 ? "ipv6" : "ipv4");
}
