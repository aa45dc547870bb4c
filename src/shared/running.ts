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
  return { pid: ownPid, startedAt: startOf(ownPid) ?? "", bootId: bootId() };
}

/** False only when that very process is certainly gone. */
export function isRunning(other: ProcessIdentity): boolean {
  if (other.bootId !== bootId()) return false;
  if (other.startedAt !== "") return startOf(other.pid) === other.startedAt;
  try {
    return kill(other.pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** Field 22 of /proc/PID/stat, counted behind the command's closing parenthesis; null when there is no such process. */
function startOf(pid: number): string | null {
  const stat = readOrNull(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
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
