import { readdirSync, readFileSync, readlinkSync } from "node:fs";

const LISTENING = "0A";

/** Who listens on a TCP port of this machine, as "node (pid 4711)"; null where the system does not tell us. */
export function portHolder(port: number): string | null {
  const inodes = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((table) => listeningSockets(table, port));
  if (inodes.length === 0) return null;
  const sockets = new Set(inodes.map((inode) => `socket:[${inode}]`));
  const pid = entries("/proc").find((name) => /^\d+$/.test(name) && holdsOne(name, sockets));
  if (pid === undefined) return null;
  return `${textOf(`/proc/${pid}/comm`).trim() || "a process"} (pid ${pid})`;
}

/** Columns of the kernel's table: slot, local address as hex:port, remote, state, …, inode. */
function listeningSockets(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return textOf(table)
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => local?.endsWith(suffix) && state === LISTENING)
    .flatMap((columns) => columns[9] ?? []);
}

function holdsOne(pid: string, sockets: ReadonlySet<string>): boolean {
  return entries(`/proc/${pid}/fd`).some((fd) => sockets.has(target(`/proc/${pid}/fd/${fd}`)));
}

/** Processes of others cannot be looked into, and any may end while we look: both are no answer. */
function orElse<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

const entries = (path: string) => orElse(() => readdirSync(path), []);
const textOf = (path: string) => orElse(() => readFileSync(path, "utf8"), "");
const target = (path: string) => orElse(() => readlinkSync(path), "");
