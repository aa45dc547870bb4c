import { readFileSync, statSync } from "node:fs";
import { thisProcess } from "../../../shared/process-identity.ts";

/** Bytes of the -shm on which SQLite's locks lie while there is a -wal (sqlite.org/walformat.html#wal_locks). */
export const SHM_LOCKS = { checkpoint: [121, 121], readers: [123, 127] } as const;

/** `1: POSIX  ADVISORY  READ 4711 fe:00:1579022 123 123`; those that wait for a lock have an arrow before POSIX. */
const LOCK = /^\d+:\s+\S+\s+\S+\s+\S+\s+(\d+)\s+\S+:(\d+)\s+(\d+)\s+(\d+|EOF)/gm;

/** Other processes that hold a lock on any of these bytes; null where the system does not tell (Linux does). */
export function lockHolders(inode: bigint, [from, to]: readonly [number, number]): readonly number[] | null {
  const locks = readOrNull("/proc/locks");
  if (locks === null) return null;
  const holders = [...locks.matchAll(LOCK)].flatMap(([, pid, file, first, last]) => {
    const end = last === "EOF" ? Number.POSITIVE_INFINITY : Number(last);
    return file === String(inode) && Number(first) <= to && end >= from ? [Number(pid)] : [];
  });
  return [...new Set(holders)].filter((pid) => pid !== thisProcess().pid);
}

/** SQLite's locks on the log itself, and on its -shm: whoever has it open holds one (sqlite.org/walformat.html#wal_locks). */
const OPEN_LOG = [0x4000_0000, 0x4000_0000 + 512] as const;
const OPEN_SHM = [120, 128] as const;

/** Who has the log open, beside this process. None where the system does not tell. */
export function holdersOf(log: string): number[] {
  const holders = [[log, OPEN_LOG] as const, [`${log}-shm`, OPEN_SHM] as const].flatMap(([path, bytes]) => {
    const file = statSync(path, { bigint: true, throwIfNoEntry: false });
    return file ? (lockHolders(file.ino, bytes) ?? []) : [];
  });
  return [...new Set(holders)];
}

/** `4711 (sqlite3)`; the pid alone where its program's name cannot be read. */
export function processWords(pid: number): string {
  const name = readOrNull(`/proc/${pid}/comm`)?.trim();
  return name ? `${pid} (${name})` : String(pid);
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
