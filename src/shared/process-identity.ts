import { readFileSync } from "node:fs";
import { kill, pid as ownPid } from "node:process";

/** Tells one run of one process from every other, also after a reboot or when its pid is used again. */
export interface ProcessIdentity {
  pid: number;
  /** The kernel's start time of the process; empty where the system does not tell. */
  startedAt: string;
  bootId: string;
}

export function thisProcess(): ProcessIdentity {
  return { pid: ownPid, startedAt: startIn(readOrNull("/proc/self/stat") ?? "") ?? "", bootId: bootId() };
}

/** False only when that very process is certainly gone. */
export function isRunning(other: ProcessIdentity): boolean {
  if (other.bootId !== bootId()) return false;
  const stat = readOrNull(`/proc/${other.pid}/stat`);
  if (stat !== null && other.startedAt !== "") return startIn(stat) === other.startedAt;
  // A process of another user is hidden from a hardened service (ProtectProc=invisible), and refuses a signal all the same.
  try {
    return kill(other.pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/**
 * Fields 3 (state) and 22 (start time) of /proc/PID/stat, counted behind the command's closing parenthesis.
 * Null for a dead one that its parent has not buried yet (Z, X), which is none.
 */
function startIn(stat: string): string | null {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z" || fields[0] === "X") return null;
  return fields[19] ?? null;
}

function bootId(): string {
  return readOrNull("/proc/sys/kernel/random/boot_id")?.trim() ?? "";
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
