import { readFileSync, readlinkSync } from "node:fs";

/** The kernel counts processor time in hundredths of a second, on every platform that Node runs on. */
const TICK_MS = 10;

/** Names the thread that asks, among those of this process; null where the system does not tell. */
export function thisThread(): string | null {
  try {
    return readlinkSync("/proc/thread-self").split("/").at(-1) ?? null;
  } catch {
    return null;
  }
}

/** The processor time that a thread of this process has taken; null where the system does not tell. */
export function cpuMsOf(thread: string): number | null {
  try {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, "utf8");
    // Fields 14 and 15 of proc(5), counted behind the name's closing parenthesis.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return null;
  }
}
